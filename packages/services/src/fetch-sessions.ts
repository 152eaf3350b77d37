/**
 * Incremental fetch sessions (KIP-227): the broker remembers which partitions a client reads, so that requests name changes only
 * and answers leave out partitions with nothing new.
 */
import type { Random } from '@naru/base'
import { type KafkaError, kafkaErrors, type TopicId } from '@naru/model'

export interface SessionPartition {
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
  readonly fetchOffset: bigint
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
}

/** What the client was told last. */
export interface Told {
  highWatermark: bigint
  lastStableOffset: bigint
  logStartOffset: bigint
}

interface Session {
  epoch: number
  readonly usesTopicIds: boolean
  readonly partitions: Map<string, { request: SessionPartition; told: Told | undefined }>
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly partitions: readonly SessionPartition[]
  readonly forgotten: readonly { topic: string; topicId: TopicId; partition: number }[]
}

export interface SessionPlan {
  readonly error: KafkaError
  /** 0 when the request stands alone. */
  readonly sessionId: number
  readonly partitions: readonly SessionPartition[]
  /** Whether an answer for the partition must be sent; notes it as told. Undefined for full answers. */
  readonly isNews?: (partition: SessionPartition, told: Told, hasMore: boolean) => boolean
}

const finalEpoch = -1
const initialEpoch = 0

export class FetchSessions {
  readonly #random: Random
  readonly #slots: number
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(random: Random, slots: number) {
    this.#random = random
    this.#slots = slots
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Which partitions a request is about. */
  plan(request: SessionRequest): SessionPlan {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === finalEpoch || sessionEpoch === initialEpoch) {
      this.#sessions.delete(sessionId)
      if (sessionEpoch === finalEpoch) return this.#full(0, request)
      return this.#create(request)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return this.#refuse(kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
    if (session.usesTopicIds !== request.usesTopicIds) {
      return this.#refuse(kafkaErrors.FETCH_SESSION_TOPIC_ID_ERROR)
    }
    if (sessionEpoch !== session.epoch) {
      return this.#refuse(kafkaErrors.INVALID_FETCH_SESSION_EPOCH)
    }
    return this.#continue(sessionId, session, request)
  }

  #create(request: SessionRequest): SessionPlan {
    if (request.partitions.length === 0 || this.#slots === 0) return this.#full(0, request)
    const session: Session = {
      epoch: 1,
      usesTopicIds: request.usesTopicIds,
      partitions: new Map(),
    }
    for (const partition of request.partitions) {
      session.partitions.set(keyOf(partition), { request: partition, told: undefined })
    }
    const id = this.#newId()
    this.#sessions.set(id, session)
    this.#evict()
    return { ...this.#full(id, request), isNews: newsOf(session, { isFull: true }) }
  }

  #continue(id: number, session: Session, request: SessionRequest): SessionPlan {
    session.epoch = session.epoch === 0x7fffffff ? 1 : session.epoch + 1
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    for (const partition of request.forgotten) session.partitions.delete(keyOf(partition))
    for (const partition of request.partitions) {
      const told = session.partitions.get(keyOf(partition))?.told
      session.partitions.set(keyOf(partition), { request: partition, told })
    }
    return {
      error: kafkaErrors.NONE,
      sessionId: id,
      partitions: [...session.partitions.values()].map((entry) => entry.request),
      isNews: newsOf(session, { isFull: false }),
    }
  }

  #full(sessionId: number, request: SessionRequest): SessionPlan {
    return { error: kafkaErrors.NONE, sessionId, partitions: request.partitions }
  }

  #refuse(error: KafkaError): SessionPlan {
    return { error, sessionId: 0, partitions: [] }
  }

  #newId(): number {
    for (;;) {
      const id = this.#random.uint32() >>> 1
      if (id !== 0 && !this.#sessions.has(id)) return id
    }
  }

  #evict(): void {
    if (this.#sessions.size <= this.#slots) return
    for (const id of this.#sessions.keys()) {
      this.#sessions.delete(id)
      return
    }
  }
}

function keyOf(partition: { topic: string; topicId: TopicId; partition: number }): string {
  return `${partition.topic}:${partition.topicId}:${partition.partition}`
}

function newsOf(
  session: Session,
  { isFull }: { isFull: boolean },
): (partition: SessionPartition, told: Told, hasMore: boolean) => boolean {
  return (partition, now, hasMore) => {
    const entry = session.partitions.get(keyOf(partition))
    if (entry === undefined) return true
    const { told } = entry
    const isSame =
      told !== undefined &&
      told.highWatermark === now.highWatermark &&
      told.lastStableOffset === now.lastStableOffset &&
      told.logStartOffset === now.logStartOffset
    entry.told = now
    return isFull || hasMore || !isSame
  }
}
