/** The leader's end of a stream that a follower's broker opened: everything that broker replicates from this one. */
import type { Clock, MessageStream, Timer } from '@naru/base'
import type { KafkaError } from '@naru/model'
import type {
  Acknowledgement,
  Credit,
  FollowerFrame,
  Greeting,
  LeaderFrame,
  OutgoingBatches,
  Subscription,
} from '@naru/rpc/replication'
import { FeedLimits } from './feed-limits.ts'
import { type FeedEvents, FollowerFeed } from './follower-feed.ts'
import { ReadTurns } from './read-turns.ts'
import type { LedReplicas, SelfIntroduction } from './replication-server.ts'
import type { Throttle } from './throttle.ts'

/** Records in one message: several partitions share it, and one does not hold up the others. */
const frameBytes = 1 << 20
/** Sent and not acknowledged yet, of all partitions together: what the follower has to keep in memory. */
const unacknowledgedBytesMax = 32 << 20
/** Partitions that are read from the disk at the same time, up to a frame of each: the others wait, and cost nothing. */
const readsMax = 8
/** How long a new high watermark waits for records to travel with: only readers of followers would notice. */
const watermarkMs = 5
/** How long a follower may take to come back before acknowledgements stop waiting for it. */
const absenceMs = 500

export interface ServingStreamOptions {
  readonly stream: MessageStream
  readonly clock: Clock
  readonly self: () => SelfIntroduction
  readonly replicas: LedReplicas
  readonly throttle: Throttle
  /** The other side has introduced itself. */
  readonly onGreeted: (stream: ServingStream) => void
  readonly onClosed: (stream: ServingStream) => void
  /** The other side breaks the protocol. */
  readonly onViolation: (reason: string) => void
}

interface Outbox {
  accepted: LeaderFrame['accepted'][number][]
  diverging: LeaderFrame['diverging'][number][]
  refused: LeaderFrame['refused'][number][]
}

export class ServingStream {
  readonly #options: ServingStreamOptions
  #peer: Greeting | undefined
  readonly #feeds = new Map<number, FollowerFeed>()
  /** Subscriptions to partitions that this broker does not lead yet, as far as it knows. */
  readonly #early = new Map<number, Subscription>()
  readonly #ready = new Set<FollowerFeed>()
  readonly #moved = new Set<FollowerFeed>()
  readonly #limits: FeedLimits
  readonly #reads = new ReadTurns(readsMax, (feed) => this.#becameReady(feed))
  #outbox = emptyOutbox()
  #unacknowledgedBytes = 0
  #isScheduled = false
  #isBlocked = false
  /** The other side wants to hear something, whatever it is. */
  #isAsked = false
  #isClosed = false
  #movedTimer: Timer | undefined
  readonly #feedEvents: FeedEvents = {
    ready: (feed) => this.#becameReady(feed),
    offsetsMoved: (feed) => this.#offsetsMoved(feed),
    over: (feed, error) => this.#over(feed, error),
  }

  constructor(options: ServingStreamOptions) {
    this.#options = options
    this.#limits = new FeedLimits(options.throttle, (feed) => this.#becameReady(feed))
    options.stream.handle({
      message: (message) => this.#receive(message as FollowerFrame),
      drain: () => {
        this.#isBlocked = false
        this.#flush()
      },
      close: () => this.#close(),
    })
  }

  /** Node id of the follower's broker, once it is known. */
  get nodeId(): number | undefined {
    return this.#peer?.nodeId
  }

  reset(): void {
    this.#options.stream.reset()
  }

  /** This broker leads other partitions than before: subscriptions that came too early may be answered now. */
  retryEarly(): void {
    const early = [...this.#early.values()]
    this.#early.clear()
    for (const subscription of early) this.#subscribe(subscription)
  }

  #receive(frame: FollowerFrame): void {
    if (this.#isClosed) return
    if (this.#peer === undefined && !this.#greet(frame.hello)) return
    const { cancelled, subscriptions, acknowledgements, credits } = frame
    const said = [cancelled, subscriptions, acknowledgements, credits]
    if (said.every(({ length }) => length === 0)) {
      this.#isAsked = true
      this.#schedule()
    }
    for (const id of cancelled) this.#cancel(id)
    for (const subscription of subscriptions) this.#subscribe(subscription)
    for (const credit of credits) this.#credit(credit)
    for (const acknowledgement of acknowledgements) {
      if (!this.#acknowledge(acknowledgement)) return
    }
  }

  #greet(hello: Greeting | undefined): boolean {
    const { self, stream, onGreeted, onViolation } = this.#options
    const { clusterId, nodeId, brokerEpoch, incarnationId } = self()
    const isMeant = hello?.clusterId === clusterId && hello.expectedNodeId === nodeId
    if (hello === undefined || !isMeant) {
      onViolation(`A stream of replication that is meant for node ${hello?.expectedNodeId}`)
      stream.reset()
      return false
    }
    this.#peer = hello
    onGreeted(this)
    const greeting = { clusterId, nodeId, brokerEpoch, incarnationId }
    stream.send({ hello: { ...greeting, expectedNodeId: hello.nodeId }, ...emptyFrame })
    return true
  }

  #subscribe(subscription: Subscription): void {
    const { nodeId, brokerEpoch } = this.#peer as Greeting
    const { id, topicId, partition } = subscription
    const leading = this.#options.replicas.leading(topicId, partition)
    const answer = leading?.subscribe({ ...subscription, nodeId, brokerEpoch })
    if (leading === undefined || answer === undefined || answer.kind === 'early') {
      this.#early.set(id, subscription)
      return
    }
    const { logStartOffset, highWatermark } = leading.core
    if (answer.kind === 'refused') {
      this.#outbox.refused.push({ id, errorCode: answer.error.code, logStartOffset })
    } else if (answer.kind === 'diverging') {
      const { epoch, endOffset } = answer
      this.#outbox.diverging.push({ id, epoch, endOffset })
    } else {
      const { progress } = answer
      const nextOffset = subscription.logEndOffset
      const feed = new FollowerFeed({ id, leading, progress, nextOffset, events: this.#feedEvents })
      this.#feeds.set(id, feed)
      leading.feed(feed)
      this.#outbox.accepted.push({ id, logStartOffset, highWatermark })
      feed.appended()
    }
    this.#schedule()
  }

  /** False when the follower claims what it cannot have: nothing that it says counts any more. */
  #acknowledge(acknowledgement: Acknowledgement): boolean {
    const feed = this.#feeds.get(acknowledgement.id)
    if (feed === undefined) return true
    if (acknowledgement.logEndOffset > feed.leading.core.logEndOffset) {
      this.#options.onViolation(`Node ${this.nodeId} acknowledges what was never appended`)
      this.reset()
      return false
    }
    const isFull = this.#unacknowledgedBytes >= unacknowledgedBytesMax
    const before = feed.unacknowledgedBytes
    feed.acknowledged(acknowledgement)
    this.#unacknowledgedBytes -= before - feed.unacknowledgedBytes
    if (isFull && this.#unacknowledgedBytes < unacknowledgedBytesMax) this.#schedule()
    return true
  }

  #credit({ id, bytes }: Credit): void {
    const feed = this.#feeds.get(id)
    if (feed === undefined && !this.#early.has(id)) return
    this.#limits.credit(id, bytes)
    if (feed !== undefined) this.#becameReady(feed)
  }

  #cancel(id: number): void {
    this.#early.delete(id)
    this.#limits.drop(id)
    const feed = this.#feeds.get(id)
    if (feed !== undefined) this.#drop(feed)
  }

  #drop(feed: FollowerFeed): void {
    this.#feeds.delete(feed.id)
    this.#ready.delete(feed)
    this.#moved.delete(feed)
    this.#limits.drop(feed.id, feed)
    this.#reads.drop(feed)
    this.#unacknowledgedBytes -= feed.unacknowledgedBytes
    feed.leading.unfeed(feed, feed.progress)
  }

  #becameReady(feed: FollowerFeed): void {
    if (this.#isClosed) return
    this.#ready.add(feed)
    this.#schedule()
  }

  #offsetsMoved(feed: FollowerFeed): void {
    if (this.#isClosed) return
    this.#moved.add(feed)
    this.#movedTimer ??= this.#options.clock.setTimer(watermarkMs, () => {
      this.#movedTimer = undefined
      for (const each of this.#moved) this.#ready.add(each)
      this.#moved.clear()
      this.#flush()
    })
  }

  #over(feed: FollowerFeed, error: KafkaError | undefined): void {
    if (this.#feeds.get(feed.id) !== feed) return
    this.#drop(feed)
    if (error === undefined) return
    // The core hears of a start that has moved when that is durable; the log gives nothing from below it before that.
    const { logStartOffset } = feed.leading.log
    this.#outbox.refused.push({ id: feed.id, errorCode: error.code, logStartOffset })
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBlocked || this.#isClosed) return
    this.#isScheduled = true
    this.#options.clock.afterTurn(() => {
      this.#isScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#isClosed || this.#isBlocked) return
    const batches = this.#takeBatches()
    const { accepted, diverging, refused } = this.#outbox
    const isEmpty = accepted.length + diverging.length + refused.length + batches.length === 0
    if (isEmpty && !this.#isAsked) return
    this.#isAsked = false
    this.#outbox = emptyOutbox()
    this.#isBlocked = !this.#options.stream.send({ accepted, diverging, refused, batches })
    if (this.#ready.size > 0) this.#schedule()
  }

  #takeBatches(): OutgoingBatches[] {
    const batches: OutgoingBatches[] = []
    let bytes = 0
    for (const feed of this.#ready) {
      if (bytes >= frameBytes || this.#unacknowledgedBytes >= unacknowledgedBytesMax) break
      this.#ready.delete(feed)
      const mayTake = this.#reads.admits(feed)
      const taken = feed.take(mayTake ? this.#limits.allowed(feed, frameBytes - bytes) : 0)
      this.#reads.took(feed)
      const before = bytes
      for (const buffer of taken?.records ?? []) bytes += buffer.length
      this.#limits.sent(feed, bytes - before)
      if (taken === undefined) continue
      this.#moved.delete(feed)
      batches.push(taken)
      this.#unacknowledgedBytes += bytes - before
      if (bytes > before && feed.hasMore) this.#ready.add(feed)
    }
    return batches
  }

  #close(): void {
    this.#isClosed = true
    this.#movedTimer?.cancel()
    this.#early.clear()
    const feeds = [...this.#feeds.values()]
    for (const feed of feeds) this.#drop(feed)
    this.#options.clock.setTimer(absenceMs, () => {
      for (const { leading, progress } of feeds) leading.missing(progress)
    })
    this.#options.onClosed(this)
  }
}

const emptyFrame = { accepted: [], diverging: [], refused: [], batches: [] }

function emptyOutbox(): Outbox {
  return { accepted: [], diverging: [], refused: [] }
}
