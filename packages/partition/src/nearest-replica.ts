/** Which follower a reader is sent to, so that it reads in its own rack (KIP-392). */
import type { NodeId } from '@naru/model'

/** An in-sync follower whose broker serves clients, as its leader knows it. */
export interface ServingFollower {
  readonly nodeId: NodeId
  readonly rack: string | null
  /** Undefined for a follower that does not say where its log begins: it may lack the offset. */
  readonly logStartOffset: bigint | undefined
  readonly logEndOffset: bigint
}

export interface ReaderPlace {
  /** `client.rack`; empty for a reader that does not tell. */
  readonly rack: string
  readonly leaderRack: string | null
  readonly fetchOffset: bigint
}

/** The follower in the reader's rack that has come furthest, of several the first; undefined where the leader serves it best. */
export function nearestReplica(
  followers: Iterable<ServingFollower>,
  { rack, leaderRack, fetchOffset }: ReaderPlace,
): NodeId | undefined {
  if (rack === '' || rack === leaderRack) return undefined
  let furthest: ServingFollower | undefined
  for (const follower of followers) {
    const { logStartOffset, logEndOffset } = follower
    if (follower.rack !== rack || logStartOffset === undefined) continue
    if (fetchOffset < logStartOffset || fetchOffset > logEndOffset) continue
    if (furthest === undefined || logEndOffset > furthest.logEndOffset) furthest = follower
  }
  return furthest?.nodeId
}
