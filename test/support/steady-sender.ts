/** A kafkajs producer at its default settings that sends a hundred records a second and awaits none of them (as programs under load do). */
import { connect } from '@naru/client'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { eventually } from './eventually.ts'

const everyMs = 10

export class SteadySender implements AsyncDisposable {
  readonly #producer: Producer
  readonly #topic: string
  readonly #acknowledged: { readonly value: number; readonly atMs: number }[] = []
  readonly #under: Set<Promise<void>> = new Set()
  readonly #timer: NodeJS.Timeout
  #next = 0
  #failed = 0

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
    this.#timer = setInterval(() => this.#send(), everyMs)
  }

  static async start(bootstrap: string, topic: string): Promise<SteadySender> {
    const kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    return new SteadySender(producer, topic)
  }

  /** Resolves when `count` more are acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.#acknowledged.length + count
    await eventually(
      `${wanted} acknowledgements`,
      () => this.#acknowledged.length >= wanted || undefined,
    )
  }

  /** When the first record was acknowledged that was acknowledged after `ms`. */
  acknowledgedAfter(ms: number): Promise<number> {
    return eventually(
      'an acknowledgement',
      () => this.#acknowledged.find(({ atMs }) => atMs > ms)?.atMs,
    )
  }

  /** Stops sending, and waits for what is under way. */
  async stop() {
    clearInterval(this.#timer)
    await Promise.all(this.#under)
    const acknowledged = this.#acknowledged.map(({ value }) => value)
    /** Acknowledged records that are not there. */
    const lost = async (bootstrap: string) => {
      await using client = await connect(bootstrap, { retryMs: 30_000 })
      const stored = new Set<number>()
      const options = { from: 'earliest', untilEnd: true } as const
      for await (const { value } of client.consume(this.#topic, options)) stored.add(Number(value))
      return acknowledged.filter((value) => !stored.has(value))
    }
    return { acknowledged, failed: this.#failed, lost }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.disconnect()
  }

  #send(): void {
    const value = this.#next++
    const sending = this.#producer
      .send({ topic: this.#topic, messages: [{ value: String(value) }] })
      .then(
        () => {
          this.#acknowledged.push({ value, atMs: performance.now() })
        },
        // After its five attempts: nobody was told that it is there.
        () => {
          this.#failed++
        },
      )
      .finally(() => this.#under.delete(sending))
    this.#under.add(sending)
  }
}
