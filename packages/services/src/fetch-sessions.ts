/**
 * Incremental fetch sessions (KIP-227): the broker remembers which partitions a client reads, so that requests name changes only
 * and answers leave out partitions with nothing new.
 */
import type { Clock, Random } from '@naru/base'
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
  usedMs: number
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
  readonly isNews?: (partition: SessionPartition, answer: SessionAnswer) => boolean
}

export interface SessionAnswer {
  readonly told: Told
  readonly hasRecords: boolean
  /** An error or a diverging epoch is told each time. */
  readonly isNotable: boolean
}

const finalEpoch = -1
const initialEpoch = 0
/** A session that was used since then does not give way to a new one, whose client goes without. */
const idleMsMin = 120_000

export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #slots: number
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor({ clock, random, slots }: { clock: Clock; random: Random; slots: number }) {
    this.#clock = clock
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
    if (sessionEpoch !== session.epoch) {
      return this.#refuse(kafkaErrors.INVALID_FETCH_SESSION_EPOCH)
    }
    if (session.usesTopicIds !== request.usesTopicIds) {
      return this.#refuse(kafkaErrors.FETCH_SESSION_TOPIC_ID_ERROR)
    }
    return this.#continue(sessionId, session, request)
  }

  #create(request: SessionRequest): SessionPlan {
    if (!this.#hasRoom()) return this.#full(0, request)
    const session: Session = {
      epoch: 1,
      usedMs: this.#clock.monotonic(),
      usesTopicIds: request.usesTopicIds,
      partitions: new Map(),
    }
    for (const partition of request.partitions) {
      session.partitions.set(keyOf(partition), { request: partition, told: undefined })
    }
    const id = this.#newId()
    this.#sessions.set(id, session)
    return { ...this.#full(id, request), isNews: newsOf(session, { isFull: true }) }
  }

  #continue(id: number, session: Session, request: SessionRequest): SessionPlan {
    session.epoch = session.epoch === 0x7fffffff ? 1 : session.epoch + 1
    session.usedMs = this.#clock.monotonic()
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    for (const partition of request.forgotten) session.partitions.delete(keyOf(partition))
    for (const partition of request.partitions) {
      const told = session.partitions.get(keyOf(partition))?.told
      session.partitions.set(keyOf(partition), { request: partition, told })
    }
    if (session.partitions.size === 0) {
      this.#sessions.delete(id)
      return this.#full(0, request)
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

  /** Whether there is a slot for a new session, if need be that of one whose client has not come for long. */
  #hasRoom(): boolean {
    if (this.#sessions.size < this.#slots) return true
    for (const [id, { usedMs }] of this.#sessions) {
      if (this.#clock.monotonic() - usedMs < idleMsMin) return false
      this.#sessions.delete(id)
      return true
    }
    return false
  }
}

function keyOf(partition: { topic: string; topicId: TopicId; partition: number }): string {
  return `${partition.topic}:${partition.topicId}:${partition.partition}`
}

function newsOf(
  { partitions }: Session,
  { isFull }: { isFull: boolean },
): (partition: SessionPartition, answer: SessionAnswer) => boolean {
  return (partition, { told: now, hasRecords, isNotable }) => {
    const key = keyOf(partition)
    const entry = partitions.get(key)
    if (entry === undefined) return true
    const { told } = entry
    const isSame =
      told !== undefined &&
      told.highWatermark === now.highWatermark &&
      told.lastStableOffset === now.lastStableOffset &&
      told.logStartOffset === now.logStartOffset
    entry.told = now
    if (hasRecords && !isFull) {
      // Whoever had its turn goes to the end: else the first partitions would fill every answer.
      partitions.delete(key)
      partitions.set(key, entry)
    }
    return isFull || hasRecords || isNotable || !isSame
  }
}
