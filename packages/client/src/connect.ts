import type { Address, ByteTransport, Clock, Random } from '@naru/base'
import { systemClock, systemRandom, tcpTransport } from '@naru/platform'
import { Admin } from './admin.ts'
import { Cluster } from './cluster.ts'
import { type ConsumedRecord, type ConsumeOptions, consume } from './consumer.ts'
import { askOtherwise, notKafka } from './diagnosis.ts'
import { NaruError } from './errors.ts'
import { Producer, type ProducerOptions } from './producer.ts'

const defaultPort = 9092

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
  const settings = {
    bootstrap: addressesOf(bootstrap),
    clientId: options.clientId ?? 'naru',
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    retryMs: options.retryMs ?? 30_000,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    transport: options.transport ?? tcpTransport,
  }
  const cluster = new Cluster(settings)
  try {
    await cluster.metadata([])
  } catch (error) {
    await cluster.close()
    throw await explained(error, settings)
  }
  return new Client(cluster)
}

/** A server that took the connection and did not answer may speak another protocol, which is worth a question. */
async function explained(
  error: unknown,
  settings: Parameters<typeof askOtherwise>[1],
): Promise<unknown> {
  if (!NaruError.is(error) || error.at === undefined) return error
  const isUnclear = error.reason === 'CLOSED_WITHOUT_ANSWER' || error.reason === 'REQUEST_TIMEOUT'
  const heard = isUnclear ? await askOtherwise(error.at, settings) : undefined
  return heard === undefined ? error : notKafka(error.at, heard, error)
}

/** Throws NARU_INVALID. A host without a port has Kafka's usual one. */
function addressesOf(text: string): Address[] {
  return text.split(',').map((entry) => {
    const match = /^(?:\[([^\]]+)\]|([^:/\s]+))(?::(\d{1,5}))?$/.exec(entry.trim())
    const port = Number(match?.[3] ?? defaultPort)
    if (match !== null && port > 0 && port < 65_536) {
      return { host: (match[1] ?? match[2]) as string, port }
    }
    const reason = 'INVALID_ADDRESS'
    throw new NaruError('NARU_INVALID', `cannot read the address "${entry.trim()}"`, { reason })
  })
}
