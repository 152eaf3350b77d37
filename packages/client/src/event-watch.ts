/** Reads events at one voter after the other: where to go on is an index of the metadata log, which all of them understand. */
import type { Address, Timer } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'
import type { Cluster } from './cluster.ts'
import type { ClusterEvent, EventsMessage } from './cluster-events.ts'
import { NaruError } from './errors.ts'
import { EventProgress } from './event-progress.ts'
import { grpcAddresses, withoutGrpc } from './grpc-address.ts'

export interface EventsRequest {
  /** How long ago, by the clock of the broker that is asked. */
  readonly maxAgeMs?: number
  /** Goes on with what happens from now on. */
  readonly isFollowing?: boolean
  readonly signal?: AbortSignal
}

/** Before all brokers are asked once more. */
const pauseMs = 250
const what = 'read the events of the cluster'

/** Another broker may have what this one has not, or can not give at the moment. */
const elsewhere: readonly KafkaError[] = [
  kafkaErrors.NOT_CONTROLLER,
  kafkaErrors.BROKER_NOT_AVAILABLE,
  kafkaErrors.THROTTLING_QUOTA_EXCEEDED,
  kafkaErrors.KAFKA_STORAGE_ERROR,
]

/** Rejects when no broker can be asked; one that follows, and has begun, only after none could for the time of a request. */
export async function* watchEvents(
  cluster: Cluster,
  request: EventsRequest,
): AsyncGenerator<ClusterEvent> {
  const { clock, requestTimeoutMs } = cluster
  const { isFollowing = false, signal = new AbortController().signal } = request
  const reading = new EventReading(cluster, { ...request, isFollowing, signal })
  let failingMs: number | undefined
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const failure = yield* reading.once()
    if (failure === undefined) return
    if (reading.hasBegun) failingMs = undefined
    else if (isFirst || !isFollowing) throw failure
    failingMs ??= clock.monotonic()
    if (clock.monotonic() - failingMs >= requestTimeoutMs) throw failure
    await paused(cluster, signal)
  }
}

type Reading = EventsRequest & { readonly isFollowing: boolean; readonly signal: AbortSignal }

class EventReading {
  readonly #cluster: Cluster
  readonly #request: Reading
  readonly #begunMs: number
  readonly #progress = new EventProgress()
  /** A broker has served the last round. */
  hasBegun = false

  constructor(cluster: Cluster, request: Reading) {
    this.#cluster = cluster
    this.#request = request
    this.#begunMs = cluster.clock.monotonic()
  }

  /** One broker after the other, until one has told everything; gives why none has. */
  async *once(): AsyncGenerator<ClusterEvent, NaruError | undefined> {
    this.hasBegun = false
    let failure: NaruError | undefined
    try {
      for await (const address of grpcAddresses(this.#cluster)) {
        failure = yield* this.#at(address)
        if (failure === undefined) return undefined
      }
    } catch (error) {
      // Nobody could be asked where the brokers are.
      if (!NaruError.is(error, 'NARU_UNREACHABLE') && !NaruError.is(error, 'NARU_TIMEOUT')) {
        throw error
      }
      failure ??= error
    }
    return failure ?? withoutGrpc()
  }

  async *#at(address: Address): AsyncGenerator<ClusterEvent, NaruError | undefined> {
    const { watchService } = await import('./grpc-client.ts')
    const { clock, requestTimeoutMs: timeoutMs } = this.#cluster
    const { signal } = this.#request
    let isOpen = false
    this.#progress.begin()
    const call = {
      service: 'ClusterService' as const,
      method: 'WatchEvents',
      request: this.#message(),
      what,
      clock,
      timeoutMs,
      signal,
      onOpen: () => {
        isOpen = true
      },
    }
    try {
      for await (const message of watchService(address, call)) {
        this.hasBegun = true
        yield* this.#progress.news(message as EventsMessage)
      }
      return undefined
    } catch (error) {
      if (!(error instanceof NaruError)) throw error
      if (error.kafka !== undefined && !elsewhere.includes(error.kafka)) throw error
      // It served, and had nothing to tell.
      if (isOpen && error.kafka === undefined) this.hasBegun = true
      return error
    }
  }

  #message(): object {
    const { maxAgeMs, isFollowing: follow } = this.#request
    const fromIndex = String(this.#progress.nextIndex)
    if (maxAgeMs === undefined) return { fromIndex, follow }
    // What was young enough at the beginning is not too old later.
    const ageMs = Math.ceil(maxAgeMs + this.#cluster.clock.monotonic() - this.#begunMs)
    const seconds = Math.floor(ageMs / 1000)
    const maxAge = { seconds: String(seconds), nanos: (ageMs - seconds * 1000) * 1_000_000 }
    return { fromIndex, maxAge, follow }
  }
}

function paused({ clock }: Cluster, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer: Timer | undefined
    const over = () => {
      timer?.cancel()
      signal.removeEventListener('abort', over)
      resolve()
    }
    timer = clock.setTimer(pauseMs, over)
    signal.addEventListener('abort', over)
    if (signal.aborted) over()
  })
}
