import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import type { Ports } from '../ports.ts'

/** Ids for idempotent producers. A transactional id is refused until there are transactions: fatal, so that nobody retries. */
export function initProducerId({ producerIds }: Pick<Ports, 'producerIds'>) {
  return defineHandler(apis.initProducerId, async (request) => {
    if (request.transactionalId !== null) {
      const errorCode = kafkaErrors.UNSUPPORTED_VERSION.code
      return { throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 }
    }
    const producerId = await producerIds.allocate()
    return { throttleTimeMs: 0, errorCode: kafkaErrors.NONE.code, producerId, producerEpoch: 0 }
  })
}
