/** A kafkajs producer at its default settings that sends a hundred records a second and awaits none of them (as programs under load do). */
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { Acknowledgements } from './acknowledgements.ts'

const everyMs = 10

export class SteadySender implements AsyncDisposable {
  readonly acknowledged: Acknowledgements
  readonly #producer: Producer
  readonly #topic: string
  readonly #under: Set<Promise<void>> = new Set()
  readonly #timer: NodeJS.Timeout
  #next = 0
  #failed = 0

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
    this.acknowledged = new Acknowledgements(topic)
    this.#timer = setInterval(() => this.#send(), everyMs)
  }

  static async start(bootstrap: string, topic: string): Promise<SteadySender> {
    const kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    return new SteadySender(producer, topic)
  }

  /** Records that were given up. */
  get failed(): number {
    return this.#failed
  }

  /** Stops sending, and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#under)
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
        () => this.acknowledged.note(value),
        // After its five attempts: nobody was told that it is there.
        () => {
          this.#failed++
        },
      )
      .finally(() => this.#under.delete(sending))
    this.#under.add(sending)
  }
}
