/** Reads of many partitions at once, with the long poll: an answer waits until there is enough, or until its time is over. */
import type { Clock } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'
import { batchesOf, lastOffsetAt } from '@naru/records'
import type { PartitionHost } from './partition-host.ts'
import { storageError } from './partition-host.ts'

export interface FetchPartition {
  /** Undefined when this broker does not lead such a partition: `missing` says why. */
  readonly host: PartitionHost | undefined
  readonly missing?: KafkaError
  readonly fetchOffset: bigint
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  /** Epoch of the last record that the client has; -1 for no check (KIP-320). */
  readonly lastFetchedEpoch: number
}

export interface FetchRequest {
  readonly partitions: readonly FetchPartition[]
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isReadCommitted: boolean
  /** Registers what to call when nobody will wait for the answer any longer. */
  readonly onClose: (callback: () => void) => void
}

export interface FetchedPartition {
  readonly error: KafkaError
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly records: Buffer
  readonly divergingEpoch: { epoch: number; endOffset: bigint } | null
}

const noRecords = Buffer.alloc(0)

export async function fetch(clock: Clock, request: FetchRequest): Promise<FetchedPartition[]> {
  const deadline = clock.monotonic() + request.maxWaitMs
  // More than the answer may hold would be waited for in vain.
  const minBytes = Math.min(request.minBytes, request.maxBytes)
  const waiter: { isOver: boolean; wake: (() => void) | undefined } = {
    isOver: false,
    wake: undefined,
  }
  request.onClose(() => {
    waiter.isOver = true
    waiter.wake?.()
  })
  for (const { host } of request.partitions) if (host?.leader === undefined) await opened(host)
  for (;;) {
    const results: FetchedPartition[] = []
    let bytes = 0
    let hasError = false
    for (const partition of request.partitions) {
      const maxBytes = Math.min(partition.maxBytes, request.maxBytes - bytes)
      const result = await readPartition(partition, { maxBytes, atLeastOne: bytes === 0 })
      bytes += result.records.length
      hasError ||= result.error !== kafkaErrors.NONE || result.divergingEpoch !== null
      results.push(result)
    }
    const remainingMs = deadline - clock.monotonic()
    const isEnough = bytes >= minBytes || results.length === 0
    if (isEnough || hasError || remainingMs <= 0 || waiter.isOver) return results
    // What is left out for want of room will not come by waiting.
    if (bytes > 0 && results.some((each, i) => isCutShort(each, request.partitions[i])))
      return results
    await advance(clock, request, results, { remainingMs, waiter })
  }
}

/** Whether there was more to read than the limits allowed: batches are given whole, so the limits are seldom met. */
function isCutShort(
  { records, highWatermark }: FetchedPartition,
  partition: FetchPartition | undefined,
): boolean {
  let next = partition?.fetchOffset ?? highWatermark
  for (const batch of batchesOf(records)) next = lastOffsetAt(batch, 0) + 1n
  return next < highWatermark
}

/** A log that cannot be loaded is reported for its partition, not for the request. */
async function opened(host: PartitionHost | undefined): Promise<void> {
  try {
    await host?.open()
  } catch (error) {
    storageError(error)
  }
}

async function readPartition(
  partition: FetchPartition,
  limits: { maxBytes: number; atLeastOne: boolean },
): Promise<FetchedPartition> {
  const { host, fetchOffset } = partition
  if (host === undefined) return failed(partition.missing ?? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const { leader } = host
  if (!host.isOnline) return failed(kafkaErrors.KAFKA_STORAGE_ERROR)
  if (!host.isLeading) return failed(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
  if (leader === undefined) return failed(kafkaErrors.KAFKA_STORAGE_ERROR)
  const fenced = leader.checkEpoch(Math.max(-1, partition.currentLeaderEpoch))
  if (fenced !== undefined) return failed(fenced)
  const { highWatermark, lastStableOffset, logStartOffset } = leader
  const state = { highWatermark, lastStableOffset, logStartOffset }
  const base = { error: kafkaErrors.NONE, ...state, records: noRecords, divergingEpoch: null }
  if (fetchOffset < logStartOffset) return failed(kafkaErrors.OFFSET_OUT_OF_RANGE)
  if (partition.lastFetchedEpoch >= 0) {
    const end = host.endOfEpoch(partition.lastFetchedEpoch)
    if (end.epoch < 0) return failed(kafkaErrors.OFFSET_OUT_OF_RANGE)
    if (end.epoch < partition.lastFetchedEpoch || end.endOffset < fetchOffset) {
      return { ...base, divergingEpoch: end }
    }
  }
  if (fetchOffset > leader.logEndOffset) return failed(kafkaErrors.OFFSET_OUT_OF_RANGE)
  if (fetchOffset >= highWatermark || (limits.maxBytes <= 0 && !limits.atLeastOne)) return base
  try {
    const records = await host.log.read({
      offset: fetchOffset,
      maxBytes: Math.max(0, limits.maxBytes),
      upTo: highWatermark,
      atLeastOne: limits.atLeastOne,
    })
    return { ...base, records }
  } catch (error) {
    return failed(storageError(error))
  }
}

function failed(error: KafkaError): FetchedPartition {
  return {
    error,
    highWatermark: -1n,
    lastStableOffset: -1n,
    logStartOffset: -1n,
    records: noRecords,
    divergingEpoch: null,
  }
}

/** Waits until a partition has moved beyond what was just read, the time is over, or nobody waits any longer. */
function advance(
  clock: Clock,
  request: FetchRequest,
  results: readonly FetchedPartition[],
  { remainingMs, waiter }: { remainingMs: number; waiter: { wake: (() => void) | undefined } },
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = []
    const wake = () => {
      timer.cancel()
      for (const stop of stops) stop()
      waiter.wake = undefined
      resolve()
    }
    const timer = clock.setTimer(remainingMs, wake)
    waiter.wake = wake
    for (const [index, { host }] of request.partitions.entries()) {
      if (host === undefined) continue
      stops.push(host.watch(wake))
      // It may have moved while other partitions were read.
      const seen = results[index]?.highWatermark ?? -1n
      if ((host.leader?.highWatermark ?? seen) !== seen) queueMicrotask(wake)
    }
  })
}
