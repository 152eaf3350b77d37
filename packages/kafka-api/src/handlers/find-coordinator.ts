import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'

/** Advertised because clients look for it before they compress with lz4; there is no coordinator to find yet. */
export function findCoordinator() {
  return defineHandler(apis.findCoordinator, (request) => {
    const errorCode = kafkaErrors.UNSUPPORTED_VERSION.code
    const errorMessage = 'Consumer groups and transactions are not supported by this version'
    const none = { nodeId: -1, host: '', port: -1, errorCode, errorMessage }
    const coordinators = request.coordinatorKeys.map((key) => ({ key, ...none }))
    return { throttleTimeMs: 0, ...none, coordinators }
  })
}
