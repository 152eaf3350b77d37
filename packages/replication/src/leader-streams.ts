/** The streams of this broker to the leaders that its replicas follow: one to each broker. */
import type { FollowingReplica } from './following-replica.ts'
import { LeaderStream, type LeaderStreamOptions } from './leader-stream.ts'

export type LeaderStreamsOptions = Omit<LeaderStreamOptions, 'leader' | 'nextId'>

export class LeaderStreams {
  readonly #options: LeaderStreamsOptions
  readonly #streams = new Map<number, LeaderStream>()
  #lastId = 0
  #isStarted = false

  constructor(options: LeaderStreamsOptions) {
    this.#options = options
  }

  follow(replica: FollowingReplica): void {
    const { leader } = replica.core
    let stream = this.#streams.get(leader)
    if (stream === undefined) {
      stream = new LeaderStream({ ...this.#options, leader, nextId: () => ++this.#lastId })
      this.#streams.set(leader, stream)
      if (this.#isStarted) stream.connect()
    }
    stream.add(replica)
  }

  unfollow(replica: FollowingReplica): void {
    const { leader } = replica.core
    const stream = this.#streams.get(leader)
    stream?.remove(replica)
    if (stream?.isEmpty !== true) return
    stream.stop()
    this.#streams.delete(leader)
  }

  /** This broker has registered, perhaps anew: leaders have to know as whom. */
  restart(): void {
    this.#isStarted = true
    for (const stream of this.#streams.values()) stream.connect()
  }

  stop(): void {
    for (const stream of this.#streams.values()) stream.stop()
    this.#streams.clear()
  }
}
