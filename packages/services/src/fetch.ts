/** Reads of many partitions at once, with the long poll: an answer waits until there is enough, or until its time is over. */
import type { Clock } from '@naru/base'
import { type KafkaError, kafkaErrors, type NodeId } from '@naru/model'
import type { PartitionLeader } from '@naru/partition'
import { batchesOf, lastOffsetAt } from '@naru/records'
import type { PartitionHost } from './partition-host.ts'
import { type ReadableReplica, type ReadPosition, readObstacle } from './readable-replica.ts'
import { storageError } from './storage-error.ts'

export interface FetchPartition extends ReadPosition {
  /** Undefined when this broker has no such partition: `missing` says why. */
  readonly host: PartitionHost | undefined
  readonly missing?: KafkaError
  readonly maxBytes: number
}

/** What a client makes of followers that knows of them (KIP-392). */
export interface FollowerReads {
  /** The follower that it is sent to by a leader that has what it wants. */
  nearest(leader: PartitionLeader, fetchOffset: bigint): NodeId | undefined
}

export interface FetchRequest {
  readonly partitions: readonly FetchPartition[]
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isReadCommitted: boolean
  /** Undefined for a client that reads from leaders only. */
  readonly followers?: FollowerReads | undefined
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
  /** The client is to go on there. */
  readonly preferredReplica?: NodeId | undefined
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
    let isAnswer = false
    for (const partition of request.partitions) {
      const maxBytes = Math.min(partition.maxBytes, request.maxBytes - bytes)
      const limits = { maxBytes, atLeastOne: bytes === 0 }
      const result = await readPartition(partition, request.followers, limits)
      bytes += result.records.length
      isAnswer ||= !canWait(result)
      results.push(result)
    }
    const remainingMs = deadline - clock.monotonic()
    const isEnough = bytes >= minBytes || results.length === 0
    if (isEnough || isAnswer || remainingMs <= 0 || waiter.isOver) return results
    // What is left out for want of room will not come by waiting.
    if (bytes > 0 && results.some((each, i) => isCutShort(each, request.partitions[i])))
      return results
    await advance(clock, request, results, { remainingMs, waiter })
  }
}

/** Whether something may come that is worth waiting for. */
function canWait({ error, divergingEpoch, preferredReplica }: FetchedPartition): boolean {
  // A follower hears before long of what its leader's readers have seen: clients would ask in a circle.
  const isEarly = error === kafkaErrors.OFFSET_NOT_AVAILABLE
  const hasFailed = error !== kafkaErrors.NONE && !isEarly
  return !hasFailed && divergingEpoch === null && preferredReplica === undefined
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
  followers: FollowerReads | undefined,
  limits: { maxBytes: number; atLeastOne: boolean },
): Promise<FetchedPartition> {
  const { host, fetchOffset } = partition
  if (host === undefined) return failed(partition.missing ?? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const replica = host.readable({ ofFollowers: followers !== undefined })
  if (!('isLeader' in replica)) return failed(replica)
  const { highWatermark } = replica
  const base = nothingOf(replica)
  const obstacle = readObstacle(replica, partition)
  if (obstacle?.kind === 'diverging') {
    const { epoch, endOffset } = obstacle
    return { ...base, divergingEpoch: { epoch, endOffset } }
  }
  if (obstacle?.error === kafkaErrors.OFFSET_NOT_AVAILABLE) {
    return { ...base, error: obstacle.error }
  }
  if (obstacle !== undefined) return failed(obstacle.error)
  if (host.leader !== undefined) {
    const preferredReplica = followers?.nearest(host.leader, fetchOffset)
    if (preferredReplica !== undefined) return { ...base, preferredReplica }
  }
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
    return failed(host.failureOf(error))
  }
}

function nothingOf({
  highWatermark,
  lastStableOffset,
  logStartOffset,
}: ReadableReplica): FetchedPartition {
  const state = { highWatermark, lastStableOffset, logStartOffset }
  return { error: kafkaErrors.NONE, ...state, records: noRecords, divergingEpoch: null }
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
      // It may have moved, or lost its role, while other partitions were read.
      const replica = host.readable({ ofFollowers: request.followers !== undefined })
      const hasMoved =
        !('isLeader' in replica) || replica.highWatermark !== results[index]?.highWatermark
      if (hasMoved) queueMicrotask(wake)
    }
  })
}
