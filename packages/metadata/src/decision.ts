import type { KafkaError } from '@naru/model'
import type { MetadataRecord } from './records.ts'

/** What a command comes to: records to append, and the answer to give once they are durable. */
export interface Decision<R> {
  readonly records: readonly MetadataRecord[]
  readonly response: R
}

/** An expected refusal with a sentence for a person. */
export interface Refusal {
  readonly error: KafkaError
  readonly message: string
}

export function refusal(error: KafkaError, message: string): Refusal {
  return { error, message }
}

export function isRefusal(value: object): value is Refusal {
  return 'error' in value
}
