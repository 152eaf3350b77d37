/** What the replicas that follow one leader's broker may still be sent, while they are throttled here (KIP-73). */
import type { Credit } from '@naru/rpc/replication'
import type { FollowingReplica } from './following-replica.ts'
import type { Throttle, Waiting } from './throttle.ts'

/** To the leader: there is no limit any more. */
const unlimited = -1

interface Limit {
  readonly waiting: Waiting
  /** Bytes of the quota that the leader was told of. */
  granted: number
  /** Of these, not received yet. */
  left: number
}

export class ReplicaCredits {
  readonly #throttle: Throttle
  readonly #onDue: () => void
  readonly #limits = new Map<FollowingReplica, Limit>()
  /** What the leader is to be told. */
  readonly #due = new Map<FollowingReplica, number>()

  /** `onDue`: `take` has something for the leader. */
  constructor(throttle: Throttle, onDue: () => void) {
    this.#throttle = throttle
    this.#onDue = onDue
  }

  /** A subscription begins, of which the leader knows no limit. */
  begin(replica: FollowingReplica): void {
    this.end(replica)
    if (replica.isThrottled) this.#limit(replica)
  }

  /** Whether the replica is throttled has changed, in the middle of a subscription. */
  changed(replica: FollowingReplica): void {
    const isLimited = this.#limits.has(replica)
    if (replica.isThrottled === isLimited) return
    if (!isLimited) this.#limit(replica)
    else {
      this.end(replica)
      this.#tell(replica, unlimited)
    }
  }

  received(replica: FollowingReplica, bytes: number): void {
    const limit = this.#limits.get(replica)
    if (limit === undefined || bytes === 0) return
    limit.left -= bytes
    if (limit.left > 0) return
    this.#throttle.settle(limit.granted, limit.granted - limit.left)
    limit.granted = 0
    limit.left = 0
    this.#throttle.ask(limit.waiting)
  }

  /** The subscription is over. */
  end(replica: FollowingReplica): void {
    this.#due.delete(replica)
    const limit = this.#limits.get(replica)
    if (limit === undefined) return
    this.#limits.delete(replica)
    this.#throttle.withdraw(limit.waiting)
    this.#throttle.settle(limit.left, 0)
  }

  endAll(): void {
    for (const replica of [...this.#limits.keys()]) this.end(replica)
    this.#due.clear()
  }

  /** What the leader has not been told yet. */
  take(): Credit[] {
    const credits: Credit[] = []
    for (const [{ id }, bytes] of this.#due) if (id !== undefined) credits.push({ id, bytes })
    this.#due.clear()
    return credits
  }

  #limit(replica: FollowingReplica): void {
    const waiting = {
      granted: (bytes: number) => {
        limit.granted = bytes
        limit.left = bytes
        this.#tell(replica, bytes)
      },
    }
    const limit: Limit = { waiting, granted: 0, left: 0 }
    this.#limits.set(replica, limit)
    this.#tell(replica, 0)
    this.#throttle.ask(waiting)
  }

  #tell(replica: FollowingReplica, bytes: number): void {
    this.#due.set(replica, bytes)
    this.#onDue()
  }
}
