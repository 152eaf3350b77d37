import type { QuorumReplica, QuorumView } from '@naru/client'

export interface QuorumRow {
  readonly id: number
  readonly role: 'leader' | 'voter' | 'observer'
  readonly directoryId: string | undefined
  readonly logEnd: bigint | undefined
  /** Entries behind the leader's last one. */
  readonly lag: bigint | undefined
  /** How long ago, by the leader's clock. */
  readonly lastContactMs: number | undefined
  readonly caughtUpMs: number | undefined
  readonly isCaughtUp: boolean
}

/** A voter that had all entries this short a time ago would hardly be missed in an election. */
const caughtUpMsMax = 5_000

/** The leader first, then voters and observers by id. `nowMs` is used where the leader does not tell its own time. */
export function quorumRows(quorum: QuorumView, nowMs: number): QuorumRow[] {
  const leader = quorum.voters.find(({ nodeId }) => nodeId === quorum.leader)
  const at = { leader, nowMs: leader?.lastContactMs ?? nowMs }
  const voters = quorum.voters.map((replica) => rowOf(replica, replica === leader, at))
  const observers = quorum.observers.map((replica) => {
    return { ...rowOf(replica, false, at), role: 'observer' as const }
  })
  return [...voters, ...observers].sort((a, b) => ranks[a.role] - ranks[b.role] || a.id - b.id)
}

const ranks = { leader: 0, voter: 1, observer: 2 } as const

function rowOf(
  { nodeId, directoryId, logEnd, lastContactMs, caughtUpMs }: QuorumReplica,
  isLeader: boolean,
  { leader, nowMs }: { leader: QuorumReplica | undefined; nowMs: number },
): QuorumRow {
  const isKnown = logEnd !== undefined && leader?.logEnd !== undefined
  const lag = isKnown ? positive((leader.logEnd as bigint) - logEnd) : undefined
  const ago = (ms: number | undefined) => (ms === undefined ? undefined : Math.max(0, nowMs - ms))
  const behindMs = ago(caughtUpMs)
  return {
    id: nodeId,
    role: isLeader ? 'leader' : 'voter',
    directoryId,
    logEnd,
    lag,
    lastContactMs: ago(lastContactMs),
    caughtUpMs: behindMs,
    isCaughtUp: isLeader || (behindMs !== undefined && behindMs <= caughtUpMsMax),
  }
}

/** A replica may have told its end after the leader told its own. */
function positive(lag: bigint): bigint {
  return lag < 0n ? 0n : lag
}

/** `2/3 voters caught up`: whether the quorum could lose one of them. */
export function votersText(rows: readonly QuorumRow[]): string {
  const voters = rows.filter(({ role }) => role !== 'observer')
  const caughtUp = voters.filter(({ isCaughtUp }) => isCaughtUp)
  return `${caughtUp.length}/${voters.length} voters caught up`
}
