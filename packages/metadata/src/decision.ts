import type { KafkaError } from '@naru/model'
import type { MetadataRecord } from './records.ts'

/** What a command comes to: records to append, and the answer to give once they are durable. */
export interface Decision<R> {
  readonly records: readonly MetadataRecord[]
  readonly response: R
  /** A piece of it: the command is to be decided again after these records, and what is answered then counts. */
  readonly isPart?: boolean
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
