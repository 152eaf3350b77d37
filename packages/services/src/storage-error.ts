import { LogDirectoryError } from '@naru/log'
import { type KafkaError, kafkaErrors } from '@naru/model'

/**
 * What a failed disk looks like to a client. Damage of the only complete replica will not go away by asking again (`isLasting`), so
 * whoever reads is told that it is damage; else another replica answers before long.
 */
export function storageError(error: unknown, { isLasting = false } = {}): KafkaError {
  if (!(error instanceof LogDirectoryError)) throw error
  const isDamage = isLasting && error.code === 'LOG_CORRUPT'
  return isDamage ? kafkaErrors.CORRUPT_MESSAGE : kafkaErrors.KAFKA_STORAGE_ERROR
}
