/** A running hash of what happened, in order: two runs with the same one were the same. 64 bits as two halves. */
export class TraceHash {
  #high = 0x9e3779b9
  #low = 0x243f6a88
  #count = 0

  get count(): number {
    return this.#count
  }

  /** As 16 hexadecimal digits. */
  get value(): string {
    const half = (bits: number) => (bits >>> 0).toString(16).padStart(8, '0')
    return half(this.#high) + half(this.#low)
  }

  /** Times count to the microsecond. */
  event(atMs: number, kind: string, ...fields: readonly (string | number)[]): void {
    this.#count++
    this.#number(Math.round(atMs * 1_000))
    this.#text(kind)
    for (const field of fields) {
      if (typeof field === 'number') this.#number(field)
      else this.#text(field)
    }
  }

  #text(text: string): void {
    this.#mix(text.length)
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at))
  }

  #number(value: number): void {
    this.#mix(value | 0)
    this.#mix(Math.floor(value / 2 ** 32) | 0)
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193)
    this.#high = (Math.imul(this.#high ^ this.#low, 0x85ebca6b) ^ (this.#low >>> 15)) | 0
  }
}
