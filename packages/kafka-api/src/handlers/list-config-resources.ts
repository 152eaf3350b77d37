import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import type { Ports } from '../ports.ts'

const topicType = 2
/** A broker stands twice: for its settings and for its loggers. */
const brokerTypes = [4, 8]
/** With and without anything to list: topics, brokers, loggers, client metrics, groups. */
const knownTypes = [topicType, ...brokerTypes, 16, 32]

/** Version 0 asks for client metrics, of which there are none. */
export function listConfigResources({ metadata, nodeId }: Pick<Ports, 'metadata' | 'nodeId'>) {
  return defineHandler(apis.listConfigResources, (request, { apiVersion }) => {
    const asked = request.resourceTypes.length === 0 ? knownTypes : request.resourceTypes
    const wanted = apiVersion === 0 ? [] : asked
    if (wanted.some((type) => !knownTypes.includes(type))) {
      const errorCode = kafkaErrors.UNSUPPORTED_VERSION.code
      return { throttleTimeMs: 0, errorCode, configResources: [] }
    }
    const topics = wanted.includes(topicType) ? [...metadata.image.topics.keys()] : []
    const ofBroker = brokerTypes.filter((type) => wanted.includes(type))
    return {
      throttleTimeMs: 0,
      errorCode: kafkaErrors.NONE.code,
      configResources: [
        ...topics.map((resourceName) => ({ resourceName, resourceType: topicType })),
        ...ofBroker.map((resourceType) => ({ resourceName: String(nodeId), resourceType })),
      ],
    }
  })
}
