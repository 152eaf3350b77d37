/** What gRPC sends beside the messages of a call. */
import { Metadata, type StatusObject } from '@grpc/grpc-js'
import { type CallError, statusOf } from './error-map.ts'

export function answerHeaders(requestId: string): Metadata {
  const headers = new Metadata()
  headers.set('naru-request-id', requestId)
  return headers
}

export function statusWithDetails(reason: CallError, requestId: string): StatusObject {
  const { code, message, detailsBytes } = statusOf(reason, requestId)
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', detailsBytes)
  return { code, details: message, metadata }
}
