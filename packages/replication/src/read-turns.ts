/** Which feeds of one stream read from the disk at the same time: each holds what it has read in memory until that is sent. */
import type { FollowerFeed } from './follower-feed.ts'

export class ReadTurns {
  readonly #max: number
  readonly #onTurn: (feed: FollowerFeed) => void
  readonly #holders = new Set<FollowerFeed>()
  /** In the order in which they asked. */
  readonly #waiting = new Set<FollowerFeed>()

  /** `onTurn`: the feed, which had to wait, may read now. */
  constructor(max: number, onTurn: (feed: FollowerFeed) => void) {
    this.#max = max
    this.#onTurn = onTurn
  }

  /** Whether the feed may go on; if not, it is told when. */
  admits(feed: FollowerFeed): boolean {
    const isFree = !feed.mustRead || this.#holders.has(feed) || this.#holders.size < this.#max
    if (isFree) this.#waiting.delete(feed)
    else this.#waiting.add(feed)
    return isFree
  }

  /** It has gone on: it reads now, or has been sent what it had read. */
  took(feed: FollowerFeed): void {
    if (feed.holdsRead) this.#holders.add(feed)
    else this.#release(feed)
  }

  drop(feed: FollowerFeed): void {
    this.#waiting.delete(feed)
    this.#release(feed)
  }

  #release(feed: FollowerFeed): void {
    if (!this.#holders.delete(feed)) return
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    this.#onTurn(next)
  }
}
