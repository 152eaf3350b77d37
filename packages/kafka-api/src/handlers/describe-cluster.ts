import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { addressesOf } from '../brokers.ts'
import { clusterOperations, operationsNotAsked } from '../errors.ts'
import type { Ports } from '../ports.ts'

const brokersType = 1
const controllersType = 2

export function describeCluster({ metadata, cluster }: Pick<Ports, 'metadata' | 'cluster'>) {
  return defineHandler(apis.describeCluster, (request, { listener }) => {
    const { image } = metadata
    if (request.endpointType !== brokersType) return refused(request.endpointType)
    const addresses = addressesOf(image, listener, { withFenced: request.includeFencedBrokers })
    const brokers = addresses.map(({ nodeId: brokerId, ...address }) => ({ brokerId, ...address }))
    return {
      throttleTimeMs: 0,
      errorCode: kafkaErrors.NONE.code,
      errorMessage: null,
      endpointType: brokersType,
      clusterId: image.clusterId,
      controllerId: cluster.controllerId,
      brokers,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations
        : operationsNotAsked,
    }
  })
}

function refused(endpointType: number): ResponseOf<typeof apis.describeCluster> {
  const error =
    endpointType === controllersType
      ? kafkaErrors.MISMATCHED_ENDPOINT_TYPE
      : kafkaErrors.UNSUPPORTED_ENDPOINT_TYPE
  return {
    throttleTimeMs: 0,
    errorCode: error.code,
    errorMessage: 'This listener names brokers, not controllers',
    endpointType: brokersType,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: operationsNotAsked,
  }
}
