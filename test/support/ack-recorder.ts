import type { Client, Producer, Sent } from '@naru/client'

interface Acknowledged {
  readonly value: number
  readonly offset: bigint
}

/** Writes numbered records to each partition as fast as they are acknowledged, and remembers each acknowledgement. */
export class AckRecorder {
  readonly #producer: Producer
  readonly #topic: string
  readonly #byPartition: Acknowledged[][]
  readonly #next: number[]
  readonly #failures: unknown[] = []
  #loops: Promise<void>[] = []
  #isRunning = true
  #waiters: { count: number; resolve: () => void }[] = []
  acknowledged = 0

  constructor(client: Client, options: { topic: string; partitions: number }) {
    this.#producer = client.producer({ batchBytes: 2_000 })
    this.#topic = options.topic
    this.#byPartition = Array.from({ length: options.partitions }, () => [])
    this.#next = this.#byPartition.map(() => 0)
  }

  start(): void {
    this.#loops = this.#byPartition.map((_, partition) => this.#loop(partition))
  }

  /** Resolves when so many records were acknowledged in all. */
  until(count: number): Promise<void> {
    if (this.acknowledged >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ count, resolve }))
  }

  async stop(): Promise<{ byPartition: Acknowledged[][]; failures: unknown[] }> {
    this.#isRunning = false
    await Promise.all(this.#loops)
    return { byPartition: this.#byPartition, failures: this.#failures }
  }

  async #loop(partition: number): Promise<void> {
    while (this.#isRunning) {
      const sends = Array.from({ length: 20 }, () => this.#send(partition))
      await Promise.all(sends)
    }
  }

  async #send(partition: number): Promise<void> {
    const value = this.#next[partition] as number
    this.#next[partition] = value + 1
    try {
      const sent: Sent = await this.#producer.send({
        topic: this.#topic,
        partition,
        value: String(value),
      })
      this.#byPartition[partition]?.push({ value, offset: sent.offset })
      this.acknowledged++
      this.#wake()
    } catch (error) {
      this.#failures.push(error)
      this.#isRunning = false
      this.#waiters.splice(0).forEach(({ resolve }) => {
        resolve()
      })
    }
  }

  #wake(): void {
    const ready = this.#waiters.filter(({ count }) => this.acknowledged >= count)
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter))
    for (const { resolve } of ready) resolve()
  }
}
