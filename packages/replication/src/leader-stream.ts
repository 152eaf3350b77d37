/** The follower's end of the stream to one leader's broker, which it opens, and opens again. */
import type { Address, Clock, Logger, MessageNetwork, MessageStream, Timer } from '@naru/base'
import { DecodeError } from '@naru/base'
import type {
  Acknowledgement,
  Batches,
  LeaderFrame,
  OutgoingFollowerFrame,
  Subscription,
} from '@naru/rpc/replication'
import { DamagedBatchError, type FollowingReplica, type LeaderLink } from './following-replica.ts'
import { ReplicaCredits } from './replica-credits.ts'
import type { SelfIntroduction } from './replication-server.ts'
import type { Throttle } from './throttle.ts'

const backoffMsMin = 20
const backoffMsMax = 500
/** How long a replica waits that a leader could not serve. */
const laterMs = 500
/** How often the leader is asked for a sign of life: where the way to it is lost in silence, nothing else would show that. */
const presenceMs = 2_000
/** Of these without a word from the leader: then the stream is given up. */
const silentMax = 2

export interface LeaderStreamOptions {
  readonly leader: number
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly logger: Logger
  readonly self: () => SelfIntroduction
  /** Where the leader's broker is reached; undefined while nobody knows. */
  readonly addressOf: (nodeId: number) => Address | undefined
  /** Of what replicas that catch up take in, from all leaders together. */
  readonly throttle: Throttle
  /** Unique for this process. */
  readonly nextId: () => number
}

export class LeaderStream implements LeaderLink {
  readonly #options: LeaderStreamOptions
  readonly #replicas = new Set<FollowingReplica>()
  readonly #byId = new Map<number, FollowingReplica>()
  #stream: MessageStream | undefined
  #backoffMs = backoffMsMin
  #reconnecting: Timer | undefined
  #presence: Timer | undefined
  /** How often it was asked since it was heard. */
  #unheard = 0
  #later: { readonly timer: Timer; readonly replicas: Set<FollowingReplica> } | undefined
  #subscriptions: Subscription[] = []
  readonly #toAcknowledge = new Set<FollowingReplica>()
  readonly #credits: ReplicaCredits
  #cancelled: number[] = []
  #isScheduled = false
  #isBlocked = false

  constructor(options: LeaderStreamOptions) {
    this.#options = options
    this.#credits = new ReplicaCredits(options.throttle, () => this.#schedule())
  }

  get isEmpty(): boolean {
    return this.#replicas.size === 0
  }

  add(replica: FollowingReplica): void {
    this.#replicas.add(replica)
    replica.attach(this)
    this.subscribe(replica)
  }

  remove(replica: FollowingReplica): void {
    this.#replicas.delete(replica)
    this.#toAcknowledge.delete(replica)
    this.#later?.replicas.delete(replica)
    this.#cancel(replica)
  }

  acknowledge(replica: FollowingReplica): void {
    this.#toAcknowledge.add(replica)
    this.#schedule()
  }

  subscribe(replica: FollowingReplica): void {
    if (this.#stream === undefined || !this.#replicas.has(replica)) return
    this.#cancel(replica)
    const subscription = replica.subscribe(this.#options.nextId())
    if (subscription === undefined) return
    this.#byId.set(subscription.id, replica)
    this.#subscriptions.push(subscription)
    this.#credits.begin(replica)
    this.#schedule()
  }

  subscribeLater(replica: FollowingReplica): void {
    if (this.#later === undefined) {
      const replicas = new Set<FollowingReplica>()
      const timer = this.#options.clock.setTimer(laterMs, () => {
        this.#later = undefined
        for (const each of replicas) this.subscribe(each)
      })
      this.#later = { timer, replicas }
    }
    this.#later.replicas.add(replica)
  }

  throttleChanged(replica: FollowingReplica): void {
    this.#credits.changed(replica)
  }

  stop(): void {
    this.#replicas.clear()
    this.#credits.endAll()
    this.#reconnecting?.cancel()
    this.#later?.timer.cancel()
    this.#presence?.cancel()
    this.#stream?.reset()
  }

  /** Opens the stream, in the place of one that there may be. */
  connect(): void {
    this.#stream?.reset()
    this.#disconnected()
    this.#reconnecting?.cancel()
    this.#reconnecting = undefined
    const { leader, network, addressOf, self } = this.#options
    const address = addressOf(leader)
    if (address === undefined) {
      this.#reconnect()
      return
    }
    const stream = network.open(address, 'replication')
    this.#stream = stream
    this.#isBlocked = false
    stream.handle({
      message: (message) => this.#receive(stream, message as LeaderFrame),
      drain: () => {
        this.#isBlocked = false
        this.#flush()
      },
      close: () => this.#closed(stream),
    })
    const hello = { ...self(), expectedNodeId: leader }
    stream.send({ hello, subscriptions: [], acknowledgements: [], cancelled: [] })
    for (const replica of this.#replicas) this.subscribe(replica)
    this.#unheard = 0
    this.#watch(stream)
  }

  #watch(stream: MessageStream): void {
    this.#presence = this.#options.clock.setTimer(presenceMs, () => {
      if (this.#unheard++ >= silentMax) {
        stream.reset()
        return
      }
      if (!this.#isBlocked) this.#send({ subscriptions: [], acknowledgements: [], cancelled: [] })
      this.#watch(stream)
    })
  }

  #send(frame: OutgoingFollowerFrame): void {
    if (this.#stream !== undefined) this.#isBlocked = !this.#stream.send(frame)
  }

  #closed(stream: MessageStream): void {
    if (stream !== this.#stream) return
    this.#disconnected()
    if (!this.isEmpty) this.#reconnect()
  }

  #disconnected(): void {
    this.#stream = undefined
    this.#presence?.cancel()
    this.#byId.clear()
    this.#subscriptions = []
    this.#cancelled = []
    this.#toAcknowledge.clear()
    this.#credits.endAll()
    for (const replica of this.#replicas) replica.disconnected()
  }

  #reconnect(): void {
    this.#reconnecting = this.#options.clock.setTimer(this.#backoffMs, () => {
      this.#reconnecting = undefined
      this.connect()
    })
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMsMax)
  }

  #receive(stream: MessageStream, frame: LeaderFrame): void {
    if (stream !== this.#stream) return
    this.#unheard = 0
    if (frame.hello !== undefined && !this.#isExpected(frame.hello)) return
    for (const answer of frame.accepted) this.#byId.get(answer.id)?.accepted(answer)
    for (const answer of frame.diverging) this.#byId.get(answer.id)?.diverging(answer)
    for (const answer of frame.refused) this.#byId.get(answer.id)?.refused(answer)
    for (const batches of frame.batches) this.#received(batches)
  }

  #received(batches: Batches): void {
    const replica = this.#byId.get(batches.id)
    if (replica === undefined) return
    try {
      replica.received(batches)
    } catch (error) {
      const isDamage = error instanceof DamagedBatchError || error instanceof DecodeError
      if (!isDamage) throw error
      this.#refuse(replica)
      return
    }
    // It may have given up the subscription over this.
    if (replica.id === batches.id) this.#credits.received(replica, batches.records.length)
  }

  /** What it is sent is damaged: other partitions of this stream go on. Asked again, its leader reads from the disk, and looks. */
  #refuse(replica: FollowingReplica): void {
    const { topicId, partition, logEndOffset } = replica
    const { leader, logger } = this.#options
    logger.error('replication-damaged', { leader, topicId, partition, logEndOffset })
    this.#cancel(replica)
    replica.disconnected()
    this.subscribeLater(replica)
  }

  #isExpected(hello: { readonly clusterId: string; readonly nodeId: number }): boolean {
    const { leader, self, logger } = this.#options
    if (hello.nodeId === leader && hello.clusterId === self().clusterId) {
      this.#backoffMs = backoffMsMin
      return true
    }
    logger.error('replication-wrong-broker', { leader, answered: hello.nodeId })
    this.#stream?.reset()
    return false
  }

  #cancel(replica: FollowingReplica): void {
    const { id } = replica
    this.#credits.end(replica)
    if (id === undefined || !this.#byId.delete(id)) return
    this.#subscriptions = this.#subscriptions.filter((each) => each.id !== id)
    this.#cancelled.push(id)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBlocked || this.#stream === undefined) return
    this.#isScheduled = true
    this.#options.clock.afterTurn(() => {
      this.#isScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#stream === undefined || this.#isBlocked) return
    const acknowledgements: Acknowledgement[] = []
    for (const replica of this.#toAcknowledge) {
      const acknowledgement = replica.acknowledgement()
      if (acknowledgement !== undefined) acknowledgements.push(acknowledgement)
    }
    this.#toAcknowledge.clear()
    const subscriptions = this.#subscriptions
    const cancelled = this.#cancelled
    const credits = this.#credits.take()
    const said = [subscriptions, cancelled, acknowledgements, credits]
    if (said.every(({ length }) => length === 0)) return
    this.#subscriptions = []
    this.#cancelled = []
    this.#send({ subscriptions, acknowledgements, cancelled, credits })
  }
}
