// A broker without a vote whose leader says nothing any more, over the real shells.
import type { MetadataRuntime } from '@naru/consensus'
import { beforeEach, expect, it } from 'vitest'
import { startBroker } from './lone-voter.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

let clock: SimulatedClock
let network: SimulatedNetwork
let observer: MetadataRuntime

beforeEach(async () => {
  clock = new SimulatedClock()
  network = new SimulatedNetwork(clock, new SeededRandom(1))
  await startBroker({ clock, network }, 1)
  observer = await startBroker({ clock, network }, 2)
  expect(observer.controllerId).toBe(1)
  network.stop('n1')
  await clock.drive(clock.pause(2_000))
})

it('is without a leader, and finds the one that goes on', async () => {
  expect(observer.controllerId).toBeUndefined()
  network.goOn('n1')
  await clock.drive(clock.pause(2_000))
  expect(observer.controllerId).toBe(1)
})

it('lets it stop without waiting for it', async () => {
  const beforeMs = clock.monotonic()
  await clock.drive(observer.membership.leave())
  expect(clock.monotonic() - beforeMs).toBeLessThan(2_000)
})
