const countMax = 10_000
const bytesMax = 16 << 20

/** Bounds what is on its way to the cluster. One loop enters; answers leave. */
export class SendWindow {
  #count = 0
  #bytes = 0
  #wake: () => void = () => {}

  /** Resolves when there is room; one record alone always has it. */
  async enter(bytes: number): Promise<void> {
    const hasRoom = () =>
      this.#count === 0 || (this.#count < countMax && this.#bytes + bytes <= bytesMax)
    await this.#until(hasRoom)
    this.#count++
    this.#bytes += bytes
  }

  leave(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
    this.#wake()
  }

  idle(): Promise<void> {
    return this.#until(() => this.#count === 0)
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
