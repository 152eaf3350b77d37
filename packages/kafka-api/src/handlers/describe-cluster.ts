import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import { addressesOf } from '../brokers.ts'
import { clusterOperations, operationsNotAsked } from '../errors.ts'
import type { Ports } from '../ports.ts'

const brokersType = 1

export function describeCluster({ metadata, nodeId }: Pick<Ports, 'metadata' | 'nodeId'>) {
  return defineHandler(apis.describeCluster, (request, { listener }) => {
    const { image } = metadata
    const isBrokers = request.endpointType === brokersType
    const error = isBrokers ? kafkaErrors.NONE : kafkaErrors.MISMATCHED_ENDPOINT_TYPE
    const brokers = addressesOf(image, listener).map(({ nodeId: brokerId, host, port, rack }) => {
      return { brokerId, host, port, rack, isFenced: false }
    })
    return {
      throttleTimeMs: 0,
      errorCode: error.code,
      errorMessage: isBrokers ? null : 'This listener names brokers, not controllers',
      endpointType: brokersType,
      clusterId: image.clusterId,
      controllerId: nodeId,
      brokers: isBrokers ? brokers : [],
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations
        : operationsNotAsked,
    }
  })
}
