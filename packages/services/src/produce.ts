import { type KafkaError, kafkaErrors } from '@naru/model'
import type { RefusedRecord } from '@naru/records'
import type { Acks, Appended, PartitionHost, Refused } from './partition-host.ts'
import { storageError } from './storage-error.ts'

export interface ProduceResult {
  readonly error: KafkaError
  readonly message: string | null
  /** The records that are to blame, where not the whole batch is. */
  readonly records?: readonly RefusedRecord[]
  readonly baseOffset: bigint
  readonly logAppendTimeMs: bigint
  readonly logStartOffset: bigint
}

export interface ProduceRequest {
  readonly bytes: Buffer
  readonly produceVersion: number
  readonly acks: Acks
  /** For the acknowledgement of other replicas. */
  readonly timeoutMs: number
}

/**
 * Appends one batch to a partition and calls `done` when it is acknowledged. Appends to one partition take their offsets in the
 * order of the calls, also while the partition is being loaded.
 */
export function produce(
  host: PartitionHost,
  request: ProduceRequest,
  done: (result: ProduceResult) => void,
): void {
  if (host.leader !== undefined) {
    appendNow(host, request, done)
    return
  }
  host.open().then(
    () => appendNow(host, request, done),
    (error: unknown) => done(failed(storageError(error), 'The log cannot be opened')),
  )
}

function appendNow(
  host: PartitionHost,
  request: ProduceRequest,
  done: (result: ProduceResult) => void,
): void {
  const outcome = host.append(request.bytes, request)
  if (isRefused(outcome)) {
    const { error, message, records = [] } = outcome
    done({ ...failed(error, message), records })
    return
  }
  const { baseOffset, endOffset, logAppendTimeMs } = outcome
  const finish = (error: KafkaError | undefined) => {
    if (error !== undefined) {
      done(failed(error, error.description))
      return
    }
    const logStartOffset = host.leader?.logStartOffset ?? -1n
    done({ error: kafkaErrors.NONE, message: null, baseOffset, logAppendTimeMs, logStartOffset })
  }
  const { acks, timeoutMs } = request
  if (acks === 0) finish(undefined)
  else host.whenAcknowledged(endOffset, { acks, timeoutMs }, finish)
}

/** An answer for a partition to which nothing was appended. */
export function failed(error: KafkaError, message: string): ProduceResult {
  return { error, message, baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n }
}

function isRefused(outcome: Appended | Refused): outcome is Refused {
  return 'error' in outcome
}
