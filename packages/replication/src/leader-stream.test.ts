import type { MessageStream } from '@naru/base'
import { silentLogger } from '@naru/base'
import type { LeaderFrame, OutgoingFollowerFrame } from '@naru/rpc/replication'
import { expect, it } from 'vitest'
import { DamagedBatchError, type FollowingReplica } from './following-replica.ts'
import { LeaderStreams } from './leader-streams.ts'
import { Throttle } from './throttle.ts'

/** A broker with replicas that follow broker 2, which says what the test says. */
class World {
  readonly sent: OutgoingFollowerFrame[] = []
  readonly taken: string[] = []
  isReset = false
  #events!: Parameters<MessageStream['handle']>[0]
  readonly #timers: { readonly delayMs: number; readonly run: () => void }[] = []
  readonly #turns: (() => void)[] = []

  constructor(replicas: readonly FollowingReplica[]) {
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      afterTurn: (run: () => void) => void this.#turns.push(run),
      setTimer: (delayMs: number, run: () => void) => {
        this.#timers.push({ delayMs, run })
        return { cancel() {} }
      },
    }
    const stream: MessageStream = {
      handle: (events) => {
        this.#events = events
      },
      send: (message) => this.sent.push(message as OutgoingFollowerFrame) > 0,
      end() {},
      reset: () => {
        this.isReset = true
      },
    }
    const streams = new LeaderStreams({
      ...{ clock, logger: silentLogger, throttle: new Throttle(clock) },
      network: { open: () => stream, listen: () => Promise.reject(new Error('not here')) },
      self: () => ({ clusterId: 'c', nodeId: 1, brokerEpoch: 1n, incarnationId: 'i' }),
      addressOf: () => ({ host: 'h', port: 1 }),
    })
    for (const replica of replicas) streams.follow(replica)
    streams.restart()
    this.turn()
  }

  turn(): void {
    for (const run of this.#turns.splice(0)) run()
  }

  /** The time of replicas that ask again later. */
  later(): void {
    for (const { delayMs, run } of this.#timers.splice(0)) if (delayMs === 500) run()
    this.turn()
  }

  hear(ids: readonly number[]): void {
    const offsets = { logStartOffset: 0n, highWatermark: 0n }
    const batches = ids.map((id) => ({ id, ...offsets, records: Buffer.alloc(1) }))
    const frame: LeaderFrame = {
      hello: undefined,
      accepted: [],
      diverging: [],
      refused: [],
      batches,
    }
    this.#events.message(frame)
    this.turn()
  }
}

/** Takes note of what it takes, unless that is damaged. */
function follower(partition: number, taken: number[], isDamaged: boolean): FollowingReplica {
  const replica = {
    ...{ id: undefined as number | undefined, partition, topicId: 't', core: { leader: 2 } },
    attach() {},
    subscribe(id: number) {
      replica.id = id
      return { id, topicId: 't', partition }
    },
    disconnected() {
      replica.id = undefined
    },
    received() {
      if (isDamaged) throw new DamagedBatchError('damaged')
      taken.push(partition)
    },
  }
  return replica as unknown as FollowingReplica
}

it('a damaged batch ends the subscription that it came on, and no other', () => {
  const taken: number[] = []
  const world = new World([follower(0, taken, true), follower(1, taken, false)])
  const ids = world.sent.flatMap(({ subscriptions = [] }) => subscriptions.map(({ id }) => id))
  expect(ids).toHaveLength(2)
  world.hear(ids)
  expect(taken).toEqual([1])
  expect(world.isReset).toBe(false)
  expect(world.sent.at(-1)?.cancelled).toEqual([ids[0]])
  // What is still on its way to it goes nowhere; before long it asks again.
  world.hear(ids)
  expect(taken).toEqual([1, 1])
  world.later()
  expect(world.sent.at(-1)?.subscriptions).toMatchObject([{ partition: 0 }])
})
