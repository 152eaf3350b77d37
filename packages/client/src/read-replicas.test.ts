import { SimulatedClock } from '@naru/simulator'
import { beforeEach, expect, it } from 'vitest'
import { ReadReplicas } from './read-replicas.ts'

let clock: SimulatedClock
let replicas: ReadReplicas

beforeEach(() => {
  clock = new SimulatedClock()
  replicas = new ReadReplicas(clock)
})

const after = (delayMs: number) => clock.drive(clock.pause(delayMs))

it('reads from the leader until that names another', () => {
  expect(replicas.of(0)).toBeUndefined()
  replicas.prefer(0, 7)
  expect(replicas.of(0)).toBe(7)
  expect(replicas.of(1)).toBeUndefined()
  replicas.prefer(0, 8)
  expect(replicas.of(0)).toBe(8)
})

it('asks the leader again after a while', async () => {
  replicas.prefer(0, 7)
  await after(299_000)
  expect(replicas.of(0)).toBe(7)
  await after(2_000)
  expect(replicas.of(0)).toBeUndefined()
  expect(replicas.tellsRack(0)).toBe(true)
})

it('stays at the leader for a while after a failure elsewhere', async () => {
  replicas.prefer(0, 7)
  replicas.prefer(1, 7)
  replicas.leave(0)
  expect([replicas.of(0), replicas.of(1)]).toEqual([undefined, 7])
  expect([replicas.tellsRack(0), replicas.tellsRack(1)]).toEqual([false, true])
  await after(4_000)
  expect(replicas.tellsRack(0)).toBe(false)
  await after(2_000)
  expect(replicas.tellsRack(0)).toBe(true)
})

it('doubts what it knows of the brokers once for each failure', () => {
  expect(replicas.takeDoubt()).toBe(false)
  replicas.leave(0)
  expect([replicas.takeDoubt(), replicas.takeDoubt()]).toEqual([true, false])
})
