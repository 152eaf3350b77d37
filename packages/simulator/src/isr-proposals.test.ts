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

it('a proposal that was refused is made again after a while, however often its leader asks', async () => {
  const clock = new SimulatedClock()
  const asked: number[] = []
  const metadata = {
    membership: { brokerEpoch: 5n },
    submit: async () => {
      asked.push(clock.monotonic())
      return { partitions: [] }
    },
  } as unknown as ConstructorParameters<typeof IsrProposals>[0]['metadata']
  const proposals = new IsrProposals({ nodeId: 1, metadata, clock, logger: silentLogger })
  const core = {
    takeProposal: () => ({ partitionEpoch: 1, members: [1], hasFlushed: true, bump: false }),
    unanswered() {},
    isProposalDue: true,
    leaderEpoch: 0,
    registration: { isRecovering: false },
    brokerEpochOf: () => -1n,
  }
  const host = { leading: { core, isOver: false } } as unknown as PartitionHost
  while (clock.monotonic() < 450) {
    proposals.add(host)
    await clock.step()
  }
  expect(asked.length).toBeGreaterThan(2)
  for (const [index, atMs] of asked.slice(1).entries()) {
    expect(atMs - (asked[index] as number)).toBeGreaterThanOrEqual(100)
  }
})
