/** What readers may see of a replica here, and what they are told of an offset that they may not. */
import { type KafkaError, kafkaErrors } from '@naru/model'

export interface ReadableReplica {
  readonly isLeader: boolean
  readonly logStartOffset: bigint
  /** Exclusive end of what readers see. */
  readonly highWatermark: bigint
  /** Exclusive end for read_committed. */
  readonly lastStableOffset: bigint
  readonly logEndOffset: bigint
  /** False for a follower that its leader has not found to agree with it: what it lacks, others may have. */
  readonly isSettled: boolean
  /** Whether a client's idea of the leadership is this replica's (KIP-320); -1 asks for no check. */
  checkEpoch(currentLeaderEpoch: number): KafkaError | undefined
  /** Where the largest epoch at or below `leaderEpoch` ends, as far as readers see; epoch -1 where nobody knows. */
  endOfEpoch(leaderEpoch: number): { readonly epoch: number; readonly endOffset: bigint }
}

export interface ReadPosition {
  readonly fetchOffset: bigint
  readonly currentLeaderEpoch: number
  /** Epoch of the last record that the client has; -1 for no check (KIP-320). */
  readonly lastFetchedEpoch: number
}

/** Undefined: what is at the position, or comes there, can be read here. */
export type ReadObstacle =
  | { readonly kind: 'error'; readonly error: KafkaError }
  /** The client has records that are not in this log: they part at the end of that epoch. */
  | { readonly kind: 'diverging'; readonly epoch: number; readonly endOffset: bigint }

export function readObstacle(
  replica: ReadableReplica,
  position: ReadPosition,
): ReadObstacle | undefined {
  const { fetchOffset, lastFetchedEpoch } = position
  const fenced = replica.checkEpoch(Math.max(-1, position.currentLeaderEpoch))
  if (fenced !== undefined) return refused(fenced)
  if (fetchOffset < replica.logStartOffset) return outOfRange(replica)
  // A follower learns of what is committed a moment after its leader's readers (KIP-392).
  if (!replica.isLeader && fetchOffset > replica.highWatermark) {
    if (fetchOffset > replica.logEndOffset) return outOfRange(replica)
    return refused(kafkaErrors.OFFSET_NOT_AVAILABLE)
  }
  if (lastFetchedEpoch >= 0) {
    const end = replica.endOfEpoch(lastFetchedEpoch)
    if (end.epoch < 0) return outOfRange(replica)
    const isDiverging = end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset
    if (isDiverging) return { kind: 'diverging', ...end }
  }
  return fetchOffset > replica.logEndOffset ? outOfRange(replica) : undefined
}

/** Out of range sends a client to the leader, or makes it begin anew where it takes this replica for that: not to be said lightly. */
function outOfRange({ isSettled }: ReadableReplica): ReadObstacle {
  return refused(isSettled ? kafkaErrors.OFFSET_OUT_OF_RANGE : kafkaErrors.OFFSET_NOT_AVAILABLE)
}

function refused(error: KafkaError): ReadObstacle {
  return { kind: 'error', error }
}
