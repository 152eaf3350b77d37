import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { addressesOf } from '../brokers.ts'
import { clusterOperations, operationsNotAsked } from '../errors.ts'
import type { Ports } from '../ports.ts'

const brokersType = 1
const controllersType = 2

export function describeCluster({ metadata, nodeId }: Pick<Ports, 'metadata' | 'nodeId'>) {
  return defineHandler(apis.describeCluster, (request, { listener }) => {
    const { image } = metadata
    if (request.endpointType !== brokersType) return refused(request.endpointType)
    const brokers = addressesOf(image, listener).map(({ nodeId: brokerId, host, port, rack }) => {
      return { brokerId, host, port, rack, isFenced: false }
    })
    return {
      throttleTimeMs: 0,
      errorCode: kafkaErrors.NONE.code,
      errorMessage: null,
      endpointType: brokersType,
      clusterId: image.clusterId,
      controllerId: nodeId,
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
