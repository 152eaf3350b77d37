/**
 * What holds back the feeds of one stream (KIP-73): the quota of this broker for what its leaders send, and what the follower's broker
 * says that it takes. Neither holds back a follower that acknowledgements wait for.
 */
import type { FollowerFeed } from './follower-feed.ts'
import type { Throttle, Waiting } from './throttle.ts'

export class FeedLimits {
  readonly #throttle: Throttle
  readonly #onReady: (feed: FollowerFeed) => void
  readonly #waiting = new Map<FollowerFeed, Waiting>()
  /** Bytes of the quota that are set aside for a feed until they are sent. */
  readonly #granted = new Map<FollowerFeed, number>()
  /** By id of the subscription: bytes that its follower still takes. Without an entry there is no limit. */
  readonly #credits = new Map<number, number>()

  /** `onReady`: the feed may be sent something again. */
  constructor(throttle: Throttle, onReady: (feed: FollowerFeed) => void) {
    this.#throttle = throttle
    this.#onReady = onReady
  }

  /** Bytes that the feed may be sent now, at most `bytesMax`. With 0 it is told when it may be sent some. */
  allowed(feed: FollowerFeed, bytesMax: number): number {
    const { isThrottled } = feed.leading
    const credit = this.#credits.get(feed.id)
    const isLimited = isThrottled || credit !== undefined
    if (!isLimited || feed.isAwaited || !feed.hasMore) {
      this.#release(feed)
      return bytesMax
    }
    if (credit !== undefined && credit <= 0) {
      this.#release(feed)
      return 0
    }
    const taken = Math.min(bytesMax, credit ?? bytesMax)
    if (isThrottled) return Math.min(taken, this.#grantOf(feed))
    this.#release(feed)
    return taken
  }

  /** So much of it was sent. Nothing: it is being read, or there was nothing to send. */
  sent(feed: FollowerFeed, bytes: number): void {
    if (bytes === 0) {
      if (this.#granted.has(feed) && !feed.isReading) this.#release(feed)
      return
    }
    const credit = this.#credits.get(feed.id)
    if (credit !== undefined) this.#credits.set(feed.id, credit - bytes)
    const granted = this.#granted.get(feed)
    if (granted === undefined) return
    this.#granted.delete(feed)
    this.#throttle.settle(granted, bytes)
  }

  /** From now on the follower takes so many bytes, and a batch that is larger; with less than none all that there is. */
  credit(id: number, bytes: number): void {
    if (bytes < 0) this.#credits.delete(id)
    else this.#credits.set(id, bytes)
  }

  /** The subscription is over. */
  drop(id: number, feed?: FollowerFeed): void {
    this.#credits.delete(id)
    if (feed !== undefined) this.#release(feed)
  }

  #grantOf(feed: FollowerFeed): number {
    if (!this.#granted.has(feed) && !this.#waiting.has(feed)) {
      const waiting = {
        granted: (bytes: number) => {
          this.#granted.set(feed, bytes)
          if (this.#waiting.delete(feed)) this.#onReady(feed)
        },
      }
      this.#throttle.ask(waiting)
      // What is granted at once is used at once.
      if (!this.#granted.has(feed)) this.#waiting.set(feed, waiting)
    }
    return this.#granted.get(feed) ?? 0
  }

  #release(feed: FollowerFeed): void {
    const waiting = this.#waiting.get(feed)
    if (waiting !== undefined) this.#throttle.withdraw(waiting)
    this.#waiting.delete(feed)
    const granted = this.#granted.get(feed)
    if (granted === undefined) return
    this.#granted.delete(feed)
    this.#throttle.settle(granted, 0)
  }
}
