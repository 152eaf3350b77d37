// How long the leader waits for a replica that is to vote and does not follow it yet, over the real shells.
import type { MetadataRuntime } from '@naru/consensus'
import { beforeEach, expect, it } from 'vitest'
import { directoryIdOf, startBroker } from './lone-voter.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

const addition = { kind: 'add', nodeId: 3, directoryId: directoryIdOf(3) } as const

let clock: SimulatedClock
let network: SimulatedNetwork
let leader: MetadataRuntime
let observer: MetadataRuntime

beforeEach(async () => {
  clock = new SimulatedClock()
  network = new SimulatedNetwork(clock, new SeededRandom(1))
  leader = await startBroker({ clock, network }, 1)
  observer = await startBroker({ clock, network }, 2)
})

const asked = { leader: () => leader, observer: () => observer }

it.each(['leader', 'observer'] as const)('as long as the %s is asked for', async (which) => {
  const changed = asked[which]().changeQuorum(addition, 20_000)
  await clock.drive(clock.pause(15_000))
  expect(leader.voterIds).toEqual([1])
  await startBroker({ clock, network }, 3)
  expect(await clock.drive(changed)).toBeUndefined()
  expect(leader.voterIds).toEqual([1, 3])
})

it.each([
  ['some seconds where nobody says how long', undefined, 5_000],
  ['less than whoever asks', 2_000, 2_000],
] as const)('%s', async (_, timeoutMs, withinMs) => {
  const beforeMs = clock.monotonic()
  expect(await clock.drive(observer.changeQuorum(addition, timeoutMs))).toBe('lagging')
  expect(clock.monotonic() - beforeMs).toBeLessThan(withinMs)
})

it('does not wait on when another leads only after most of the time', async () => {
  network.stop('n1')
  await clock.drive(clock.pause(2_000))
  const changed = observer.changeQuorum(addition, 20_000)
  await clock.drive(clock.pause(15_000))
  network.goOn('n1')
  expect(await clock.drive(changed)).toBe('lagging')
})
