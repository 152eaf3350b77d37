// The sessions of brokers with a controller that cannot do what they ask for.
import { ConsensusError } from '@naru/consensus'
import { defaultTiming } from '@naru/metadata'
import { expect, it } from 'vitest'
import { ControllerSessions } from '../../consensus/src/controller-sessions.ts'
import { TestCluster } from '../../metadata/src/testing/cluster.ts'
import { SimulatedClock } from './simulated-clock.ts'

it('tries again in peace what is refused, while the controller hands over', async () => {
  const clock = new SimulatedClock()
  let submits = 0
  const sessions = new ControllerSessions({
    nodeId: 1,
    clock,
    image: new TestCluster(1, 2).image,
    timing: defaultTiming,
    post() {},
    enclose() {},
    answerHere() {},
    probe: async () => 'lost' as const,
    submit: async () => {
      submits++
      throw new ConsensusError('REFUSED', 'Refused: handingOver', 'handingOver')
    },
  })
  const end = clock.monotonic() + defaultTiming.sessionTimeoutMs + 1_000
  for (let step = 0; step < 1_000 && clock.monotonic() < end; step++) await clock.step()
  sessions.stop()
  expect(clock.monotonic()).toBeGreaterThanOrEqual(end)
  expect(submits).toBeGreaterThan(5)
  expect(submits).toBeLessThan(50)
})
