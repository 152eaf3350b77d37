import { SimulatedClock } from '@naru/simulator'
import { expect, it } from 'vitest'
import { timeLeft } from './time-left.ts'

it('counts down what a request gives for all of it', async () => {
  const clock = new SimulatedClock()
  const left = timeLeft(clock, 5_000)
  expect(left()).toBe(5_000)
  clock.setTimer(6_000, () => {})
  await clock.step()
  expect(left()).toBe(-1_000)
})

it('takes a time of nothing for not waiting, and does the work', () => {
  expect(timeLeft(new SimulatedClock(), 0)()).toBe(1_000)
  expect(timeLeft(new SimulatedClock(), -1)()).toBe(1_000)
})
