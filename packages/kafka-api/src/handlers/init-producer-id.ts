import { type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import type { Ports } from '../ports.ts'

const noProducerId = -1n

/** Ids for idempotent producers. A transactional id is refused until there are transactions: fatal, so that nobody retries. */
export function initProducerId({ producerIds }: Pick<Ports, 'producerIds'>) {
  return defineHandler(apis.initProducerId, async (request) => {
    if (request.transactionalId !== null) return refused(kafkaErrors.UNSUPPORTED_VERSION)
    // What a producer had comes whole or not at all (KIP-360); one without transactions gets a new id either way.
    const hasId = request.producerId !== noProducerId
    if (hasId !== (request.producerEpoch !== -1)) return refused(kafkaErrors.INVALID_REQUEST)
    const producerId = await producerIds.allocate()
    // No controller gives out ids at the moment: producers ask again.
    if (typeof producerId === 'object') return refused(kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS)
    return { throttleTimeMs: 0, errorCode: kafkaErrors.NONE.code, producerId, producerEpoch: 0 }
  })
}

function refused({ code }: KafkaError) {
  return { throttleTimeMs: 0, errorCode: code, producerId: noProducerId, producerEpoch: -1 }
}
