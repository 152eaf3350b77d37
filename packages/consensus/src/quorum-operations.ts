/** What the leader of the quorum is asked about the quorum itself, as it travels between nodes. */
import { array, boolean, int32, int64, string, struct, tagged, type ValueOf } from '@naru/protocol'
import { coder } from './coder.ts'

const status = struct({
  leaderId: int32,
  leaderEpoch: int32,
  /** The offset behind the last committed entry. */
  highWatermark: int64,
  replicas: array(
    struct({
      nodeId: int32,
      directoryId: string,
      isVoter: boolean,
      /** The offset behind the last entry that is on its disk; -1 when not known. */
      logEndOffset: int64,
      /** By the leader's clock, in milliseconds since 1970; -1 when not known. */
      lastFetchMs: int64,
      lastCaughtUpMs: int64,
    }),
  ),
})
export type QuorumView = ValueOf<typeof status>

const change = struct({
  /** `add`, `remove` or `transfer`. */
  kind: string,
  nodeId: int32,
  /** Empty for a transfer: the voter of that node. */
  directoryId: string,
  /** How long the leader may wait for what the change needs: the end of another one, or a replica that catches up. */
  patienceMs: tagged(0, 0, int32, 3_000),
})
export type AskedChange = ValueOf<typeof change> & { readonly kind: 'add' | 'remove' | 'transfer' }
export type QuorumChange = Omit<AskedChange, 'patienceMs'>

/** Why it was not done; empty when it was. */
const answer = struct({ refusal: string })

export const quorumCodecs = {
  status: coder(status),
  change: coder(change),
  answer: coder(answer),
}
