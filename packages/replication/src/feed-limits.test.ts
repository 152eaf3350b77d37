import { expect, it } from 'vitest'
import { FeedLimits } from './feed-limits.ts'
import type { FollowerFeed } from './follower-feed.ts'
import { Throttle } from './throttle.ts'

const rate = 1_000
const frameBytes = 1 << 20

class World {
  readonly ready: FollowerFeed[] = []
  #nowMs = 0
  readonly #timers = new Map<object, { readonly atMs: number; readonly run: () => void }>()
  readonly throttle = new Throttle({
    now: () => 0,
    monotonic: () => this.#nowMs,
    afterTurn: (run) => run(),
    setTimer: (delayMs, run) => {
      const timer = { cancel: () => void this.#timers.delete(timer) }
      this.#timers.set(timer, { atMs: this.#nowMs + delayMs, run })
      return timer
    },
  })
  /** Of two streams. */
  readonly limits = [1, 2].map(() => new FeedLimits(this.throttle, (feed) => this.ready.push(feed)))

  constructor() {
    this.throttle.setRate(rate)
  }

  get timers(): number {
    return this.#timers.size
  }

  pass(ms: number): void {
    this.#nowMs += ms
    for (const [timer, { atMs, run }] of [...this.#timers]) {
      if (atMs <= this.#nowMs && this.#timers.delete(timer)) run()
    }
  }
}

function feedOf(
  id: number,
  state: { isReading?: boolean; isAwaited?: boolean } = {},
): FollowerFeed {
  const leading = { isThrottled: true }
  const feed = { id, leading, hasMore: true, isReading: false, isAwaited: false, ...state }
  return feed as unknown as FollowerFeed
}

it('grants the quota to one feed after the other, of all streams, in the order in which they ask', () => {
  const world = new World()
  const [one, other] = world.limits as [FeedLimits, FeedLimits]
  const [a, b, c] = [feedOf(1), feedOf(2), feedOf(3)]
  expect(one.allowed(a, frameBytes)).toBe(rate)
  one.sent(a, rate)
  expect(other.allowed(b, frameBytes)).toBe(0)
  expect(one.allowed(a, frameBytes)).toBe(0)
  expect(one.allowed(c, frameBytes)).toBe(0)
  world.pass(100)
  expect(world.ready).toEqual([b])
  expect(other.allowed(b, frameBytes)).toBe(100)
  other.sent(b, 100)
  expect(other.allowed(b, frameBytes)).toBe(0)
  world.pass(100)
  world.pass(100)
  expect(world.ready).toEqual([b, a, c])
})

it('keeps what was granted while the feed reads, and gives back what it does not use', () => {
  const world = new World()
  const [limits] = world.limits as [FeedLimits]
  const reading = feedOf(1, { isReading: true })
  const idle = feedOf(2)
  expect(limits.allowed(reading, frameBytes)).toBe(rate)
  limits.sent(reading, 0)
  expect(limits.allowed(idle, frameBytes)).toBe(0)
  expect(limits.allowed(reading, frameBytes)).toBe(rate)
  limits.sent(reading, 400)
  expect(world.ready).toEqual([idle])
  expect(limits.allowed(idle, frameBytes)).toBe(600)
  limits.sent(idle, 0)
  expect(limits.allowed(reading, frameBytes)).toBe(600)
})

it.each<[string, (limits: FeedLimits, feed: FollowerFeed) => void]>([
  ['its subscription ends', (limits, feed) => limits.drop(feed.id, feed)],
  [
    'it is awaited',
    (limits, feed) => {
      Object.assign(feed, { isAwaited: true })
      expect(limits.allowed(feed, frameBytes)).toBe(frameBytes)
    },
  ],
  [
    'its topic names it no more',
    (limits, feed) => {
      feed.leading.isThrottled = false
      expect(limits.allowed(feed, frameBytes)).toBe(frameBytes)
    },
  ],
  [
    'its follower takes nothing',
    (limits, feed) => {
      limits.credit(feed.id, 0)
      expect(limits.allowed(feed, frameBytes)).toBe(0)
    },
  ],
])('a feed leaves its part, and its place in the row, to others when %s', (_, leave) => {
  const world = new World()
  const [limits] = world.limits as [FeedLimits]
  const [holder, waiting, last] = [feedOf(1, { isReading: true }), feedOf(2), feedOf(3)]
  expect(limits.allowed(holder, frameBytes)).toBe(rate)
  expect(limits.allowed(waiting, frameBytes)).toBe(0)
  expect(limits.allowed(last, frameBytes)).toBe(0)
  leave(limits, waiting)
  leave(limits, holder)
  expect(world.ready).toEqual([last])
  expect(limits.allowed(last, frameBytes)).toBe(rate)
})

it('sends what the follower takes, and then waits for its word', () => {
  const world = new World()
  world.throttle.setRate(Number.POSITIVE_INFINITY)
  const [limits] = world.limits as [FeedLimits]
  const feed = feedOf(1)
  feed.leading.isThrottled = false
  limits.credit(feed.id, 500)
  expect(limits.allowed(feed, frameBytes)).toBe(500)
  limits.sent(feed, 400)
  expect(limits.allowed(feed, frameBytes)).toBe(100)
  limits.sent(feed, 200)
  expect(limits.allowed(feed, frameBytes)).toBe(0)
  limits.credit(feed.id, -1)
  expect(limits.allowed(feed, frameBytes)).toBe(frameBytes)
})

it.each([
  [100_000, 100_000],
  [5e6, 1 << 20],
  [50e6, 5e6],
  [1e12, 16 << 20],
  [Number.POSITIVE_INFINITY, 16 << 20],
])('of %d bytes a second grants one feed %d at once', (bytesPerSecond, bytes) => {
  const world = new World()
  world.throttle.setRate(bytesPerSecond)
  world.pass(1_000)
  const [limits] = world.limits as [FeedLimits]
  expect(limits.allowed(feedOf(1), 1 << 30)).toBe(bytes)
})

it('has no timer while nobody waits', () => {
  const world = new World()
  const [limits] = world.limits as [FeedLimits]
  const feed = feedOf(1)
  limits.sent(feed, limits.allowed(feed, frameBytes))
  expect(world.timers).toBe(0)
  expect(limits.allowed(feed, frameBytes)).toBe(0)
  expect(world.timers).toBe(1)
  world.pass(100)
  expect(world.timers).toBe(0)
})
