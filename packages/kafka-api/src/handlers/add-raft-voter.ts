import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'
import { refusedVoter } from '../voters.ts'

/**
 * The listeners of the request are not needed: nodes register where they are reached. Nor is it answered before it is committed:
 * who does not want to wait for that (`ackWhenCommitted`) is answered later than asked, which is no harm.
 */
export function addRaftVoter({
  cluster,
  metadata,
  clock,
}: Pick<Ports, 'cluster' | 'metadata' | 'clock'>) {
  return defineHandler(apis.addRaftVoter, async (request) => {
    const { voterId: nodeId, voterDirectoryId: directoryId } = request
    const left = timeLeft(clock, request.timeoutMs)
    const refused =
      refusedVoter(request, metadata.image.clusterId) ??
      (await cluster.addVoter({ nodeId, directoryId }, left()))
    return { throttleTimeMs: 0, ...outcomeOf(refused) }
  })
}
