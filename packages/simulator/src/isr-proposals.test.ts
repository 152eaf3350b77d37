import { silentLogger } from '@naru/base'
import { IsrProposals, type PartitionHost } from '@naru/services'
import { expect, it } from 'vitest'
import { SimulatedClock } from './simulated-clock.ts'

it('a broker that is not registered yet waits before it proposes anything', async () => {
  const clock = new SimulatedClock()
  const membership: { brokerEpoch: bigint | undefined } = { brokerEpoch: undefined }
  const metadata = { membership } as unknown as ConstructorParameters<
    typeof IsrProposals
  >[0]['metadata']
  const proposals = new IsrProposals({ nodeId: 1, metadata, clock, logger: silentLogger })
  let asked = 0
  const core = { takeProposal: () => void asked++ }
  proposals.add({ leading: { core } } as unknown as PartitionHost)
  let steps = 0
  for (; clock.monotonic() < 1_000 && steps < 100; steps++) await clock.step()
  expect(steps).toBeLessThan(100)
  expect(asked).toBe(0)
  membership.brokerEpoch = 5n
  for (let i = 0; i < 10; i++) await clock.step()
  expect(asked).toBe(1)
})
