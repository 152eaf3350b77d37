import type { Address, ByteTransport, Clock, Random } from '@naru/base'
import { systemClock, systemRandom, tcpTransport } from '@naru/platform'
import { Admin } from './admin.ts'
import { Cluster } from './cluster.ts'
import { type ConsumedRecord, type ConsumeOptions, consume } from './consumer.ts'
import { NaruError } from './errors.ts'
import { Producer, type ProducerOptions } from './producer.ts'

export interface ConnectOptions {
  readonly clientId?: string
  /** How long one request may take. */
  readonly requestTimeoutMs?: number
  /** How long a call is tried again when it fails with something that may pass. */
  readonly retryMs?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly transport?: ByteTransport
}

/** A client of one cluster. `await using` closes its connections. */
export class Client implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly admin: Admin

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.admin = new Admin(cluster)
  }

  producer(options: ProducerOptions = {}): Producer {
    return new Producer(this.#cluster, options)
  }

  /** Reads a topic from a position; leaving the loop ends it. */
  consume(topic: string, options: ConsumeOptions): AsyncGenerator<ConsumedRecord> {
    return consume(this.#cluster, topic, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.close()
  }
}

/** Connects to the first of `bootstrap` (`host:port,host:port`) that answers. Rejects with NARU_UNREACHABLE when none does. */
export async function connect(bootstrap: string, options: ConnectOptions = {}): Promise<Client> {
  const cluster = new Cluster({
    bootstrap: bootstrap.split(',').map(addressOf),
    clientId: options.clientId ?? 'naru',
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    retryMs: options.retryMs ?? 30_000,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    transport: options.transport ?? tcpTransport,
  })
  await cluster.metadata([])
  return new Client(cluster)
}

function addressOf(text: string): Address {
  const match = /^\s*(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})\s*$/.exec(text)
  if (match !== null) return { host: (match[1] ?? match[2]) as string, port: Number(match[3]) }
  const message = `Cannot read address "${text}"`
  throw new NaruError('NARU_UNREACHABLE', message, { hint: 'Write host:port' })
}
