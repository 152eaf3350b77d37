// What a node answers that others take for the leader.
import { expect, it } from 'vitest'
import { LeaderOperations } from '../../consensus/src/leader-operations.ts'
import { quorumCodecs } from '../../consensus/src/quorum-operations.ts'
import { SimulatedClock } from './simulated-clock.ts'

it('a node that still starts does not lead, whatever it is asked', async () => {
  const operations = new LeaderOperations({
    clock: new SimulatedClock(),
    member: () => undefined,
    controller: () => undefined,
  })
  const removal = { kind: 'remove', nodeId: 1, directoryId: 'd' }
  const change = quorumCodecs.change.encode({ ...removal, patienceMs: 0 })
  const asked = [
    ['quorumChange', change],
    ['quorumStatus', Buffer.alloc(0)],
    ['readIndex', Buffer.alloc(0)],
  ] as const
  for (const [operation, payload] of asked) {
    expect(await operations.answer(operation, payload)).toEqual({
      index: 0n,
      failure: 'NOT_LEADER',
    })
  }
})
