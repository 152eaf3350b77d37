import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { refusedVoter } from '../voters.ts'

export function removeRaftVoter({ cluster, metadata }: Pick<Ports, 'cluster' | 'metadata'>) {
  return defineHandler(apis.removeRaftVoter, async (request) => {
    const { voterId: nodeId, voterDirectoryId: directoryId } = request
    const refused =
      refusedVoter(request, metadata.image.clusterId) ??
      (await cluster.removeVoter({ nodeId, directoryId }))
    return { throttleTimeMs: 0, ...outcomeOf(refused) }
  })
}
