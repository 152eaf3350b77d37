import type { Refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'

/** The two fields in which most answers report how it went. */
export function outcomeOf(refusal: Refusal | undefined): {
  errorCode: number
  errorMessage: string | null
} {
  if (refusal === undefined) return { errorCode: kafkaErrors.NONE.code, errorMessage: null }
  return { errorCode: refusal.error.code, errorMessage: refusal.message }
}

/** Authorized operations where none were asked for. */
export const operationsNotAsked = -2147483648
/** Every operation on a topic: read, write, create, delete, alter, describe and those on configs. */
export const topicOperations = 0b1101_1111_1000
/** Every operation on the cluster: create, alter, describe, cluster action, those on configs, idempotent write. */
export const clusterOperations = 0b1_1111_1010_0000
