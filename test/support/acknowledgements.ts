/** What a program that sends numbered records was told, and when. */
import { connect } from '@naru/client'
import { eventually } from './eventually.ts'

export class Acknowledgements {
  readonly #topic: string
  readonly #told: { readonly value: number; readonly atMs: number }[] = []

  constructor(topic: string) {
    this.#topic = topic
  }

  note(value: number): void {
    this.#told.push({ value, atMs: performance.now() })
  }

  /** Resolves when `count` more have come. */
  async more(count: number): Promise<void> {
    const wanted = this.#told.length + count
    await eventually(`${wanted} acknowledgements`, () => this.#told.length >= wanted || undefined)
  }

  /** When the first came that came after `ms`. */
  after(ms: number): Promise<number> {
    return eventually('an acknowledgement', () => this.#told.find(({ atMs }) => atMs > ms)?.atMs)
  }

  /** Records that are not there in spite of theirs. */
  async lost(bootstrap: string): Promise<number[]> {
    await using client = await connect(bootstrap, { retryMs: 30_000 })
    const stored = new Set<number>()
    const options = { from: 'earliest', untilEnd: true } as const
    for await (const { value } of client.consume(this.#topic, options)) stored.add(Number(value))
    return this.#told.map(({ value }) => value).filter((value) => !stored.has(value))
  }
}
