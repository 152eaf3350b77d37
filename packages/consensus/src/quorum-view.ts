import type { Clock } from '@naru/base'
import type { Progress } from '@naru/raft'
import type { QuorumView } from './quorum-operations.ts'
import type { RaftNode } from './raft-node.ts'
import { diskOf, nodeOf } from './replica-key.ts'

/** A replica without a vote that is silent for longer is gone. */
const silentMsMax = 2_000

/** The quorum as its leader sees it. */
export function quorumView({ raft }: RaftNode, self: string, clock: Clock): QuorumView {
  const { log, voters, progress } = raft
  const keys = new Set([...voters, ...observersOf(raft, clock.monotonic())])
  const wallMs = (monotonicMs: number | undefined) =>
    monotonicMs === undefined
      ? -1n
      : BigInt(Math.round(clock.now() - (clock.monotonic() - monotonicMs)))
  const nowMs = clock.monotonic()
  const replicaOf = (key: string, known: Progress | undefined) => ({
    nodeId: nodeOf(key),
    directoryId: diskOf(key),
    isVoter: voters.includes(key),
    logEndOffset: (key === self ? log.lastIndex : (known?.matchIndex ?? -2n)) + 1n,
    lastFetchMs: wallMs(key === self ? nowMs : known?.heardMs),
    lastCaughtUpMs: wallMs(key === self ? nowMs : known?.caughtUpMs),
  })
  return {
    leaderId: nodeOf(self),
    leaderEpoch: Number(raft.term),
    highWatermark: log.commitIndex + 1n,
    replicas: [...keys].sort().map((key) => replicaOf(key, progress.get(key))),
  }
}

/** Who follows without a vote: of a node that has another disk now, the one that it speaks with. */
function observersOf({ voters, progress }: RaftNode['raft'], nowMs: number): string[] {
  const newest = new Map<number, string>()
  const heardMsOf = (key: string) => progress.get(key)?.heardMs ?? Number.NEGATIVE_INFINITY
  for (const [key, { heardMs }] of progress) {
    if (voters.includes(key) || nowMs - heardMs >= silentMsMax) continue
    const other = newest.get(nodeOf(key))
    if (other === undefined || heardMsOf(other) < heardMs) newest.set(nodeOf(key), key)
  }
  return [...newest.values()]
}
