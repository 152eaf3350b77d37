import { expect, it } from 'vitest'
import { SimulatedClock } from './simulated-clock.ts'
import { StreamQueue } from './stream-queue.ts'

it('gets past an obstacle that ends sooner than a clock that has gone far can tell', async () => {
  const clock = new SimulatedClock()
  await clock.drive(clock.pause(1e6))
  const untilMs = 1e6 + 1e-10
  const arrived: string[] = []
  const queue = new StreamQueue({
    clock,
    delayMs: () => 0,
    // The difference that is left is lost when it is added.
    obstacle: () => (clock.monotonic() < untilMs + 1e-9 ? 1e-11 : undefined),
    arrive: ({ kind }) => arrived.push(kind),
  })
  queue.push({ kind: 'close', reason: 'ended' })
  for (let step = 0; step < 10; step++) await clock.step()
  expect(arrived).toEqual(['close'])
})
