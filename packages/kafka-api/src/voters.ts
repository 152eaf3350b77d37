import { type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors, zeroTopicId } from '@naru/model'

/** What is wrong with a change of the voters as it was asked for, whatever the voters are. */
export function refusedVoter(
  request: { clusterId: string | null; voterId: number; voterDirectoryId: string },
  clusterId: string,
): Refusal | undefined {
  if (request.clusterId !== null && request.clusterId !== clusterId) {
    const message = `The request is meant for cluster ${request.clusterId}, this is ${clusterId}`
    return refusal(kafkaErrors.INCONSISTENT_CLUSTER_ID, message)
  }
  if (request.voterId >= 0 && request.voterDirectoryId !== zeroTopicId) return undefined
  return refusal(kafkaErrors.INVALID_REQUEST, 'A voter has an id from 0 on and a directory id')
}
