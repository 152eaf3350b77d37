import { kafkaErrors } from '@naru/model'
import { int32, int64, struct } from '@naru/protocol'
import { defineCommand, refused } from './command-definition.ts'
import { refusal } from './decision.ts'

/** Ids given out at once: what a broker may lose when it dies. */
const blockSize = 1000
const lastProducerId = 2n ** 63n - 1n

export const producerIdCommands = {
  /** Producer ids that no other broker ever gets. */
  allocateProducerIds: defineCommand({
    request: struct({}),
    response: struct({ firstProducerId: int64, count: int32 }),
    isRepeatable: true,
    decide(image) {
      const firstProducerId = image.nextProducerId
      const nextProducerId = firstProducerId + BigInt(blockSize)
      if (nextProducerId > lastProducerId) {
        const message = 'All producer ids have been given out'
        return refused(refusal(kafkaErrors.UNKNOWN_SERVER_ERROR, message))
      }
      return {
        records: [{ type: 'producerIds', nextProducerId }],
        response: { firstProducerId, count: blockSize },
      }
    },
  }),
}
