/**
 * What is true of the cluster as a whole, which no replica knows: who led which term, what was committed, what was acknowledged.
 * Every check is one of the invariants 1 to 11 of the protocol; a violation throws.
 */
import type { Entry, Message, ReplicaKey } from '@naru/raft'
import { majority } from '@naru/raft'
import type { SimulatedDisk } from './simulated-raft-disk.ts'

export class Violation extends Error {
  override readonly name = 'Violation'
}

export function mustHold(condition: boolean, invariant: string, detail: () => string): void {
  if (!condition) throw new Violation(`${invariant}: ${detail()}`)
}

/** The state after an entry: the hash of everything applied up to it. Two replicas that differ once differ for ever. */
export function chainHash(previous: number, entry: Entry): number {
  let hash = previous ^ Number(entry.index % 65_521n)
  const text =
    entry.kind === 'data' ? entry.payload : entry.kind === 'voters' ? entry.voters.join(',') : ''
  for (const code of Buffer.from(`${entry.term}${entry.kind}${text}`)) {
    hash = Math.imul(hash ^ code, 0x01000193)
  }
  return hash >>> 0
}

interface Committed {
  readonly term: bigint
  readonly hash: number
  readonly payload: string | undefined
}

export class RaftHistory {
  readonly #leaders = new Map<bigint, ReplicaKey>()
  /** Hash of the log up to (index, term), as the first replica that wrote it had it. */
  readonly #prefixes = new Map<string, number>()
  readonly #committed = new Map<bigint, Committed>()
  #lastCommitted = 0n

  get lastCommitted(): bigint {
    return this.#lastCommitted
  }

  /** At most one leader in a term (Raft §5.2); it holds every committed entry (§5.4). */
  becameLeader(
    replica: ReplicaKey,
    term: bigint,
    termAt: (index: bigint) => bigint | undefined,
    baseIndex: bigint,
  ): void {
    const other = this.#leaders.get(term) ?? replica
    mustHold(other === replica, 'election safety', () => `${other} and ${replica} in term ${term}`)
    this.#leaders.set(term, replica)
    for (let index = baseIndex + 1n; index <= this.#lastCommitted; index++) {
      const committed = this.#committed.get(index)
      mustHold(
        committed === undefined || termAt(index) === committed.term,
        'leader completeness',
        () => `${replica} of term ${term} lacks ${index}/${committed?.term}, has ${termAt(index)}`,
      )
    }
  }

  /** Same index and term: same log up to there (§5.3). */
  wrote(replica: ReplicaKey, entry: Entry, hash: number): void {
    const place = `${entry.index}/${entry.term}`
    const known = this.#prefixes.get(place) ?? hash
    mustHold(known === hash, 'log matching', () => `${replica} at ${place}`)
    this.#prefixes.set(place, known)
  }

  /** What is committed never changes, and everybody applies the same (§5.4.3). */
  applied(replica: ReplicaKey, entry: Entry, hash: number): void {
    const known = this.#committed.get(entry.index)
    mustHold(
      known === undefined || known.hash === hash,
      'state machine safety',
      () => `${replica} applies ${entry.index}/${entry.term}, committed is term ${known?.term}`,
    )
    if (known !== undefined) return
    const payload = entry.kind === 'data' ? entry.payload.toString() : undefined
    this.#committed.set(entry.index, { term: entry.term, hash, payload })
    if (entry.index > this.#lastCommitted) this.#lastCommitted = entry.index
  }

  hashAt(index: bigint): number | undefined {
    return index === 0n ? 0 : this.#committed.get(index)?.hash
  }

  /** An acknowledged proposal is in the log, at its place. */
  payloadAt(index: bigint): string | undefined {
    return this.#committed.get(index)?.payload
  }

  payloads(): string[] {
    return [...this.#committed.values()].flatMap(({ payload }) => payload ?? [])
  }

  /** A leader commits only what a majority of its voters has on the disk (R4, R5). */
  leaderCommitted(
    index: bigint,
    /** Those at the entry, and those of now: the commit lies in between. */
    voterSets: readonly (readonly ReplicaKey[])[],
    diskOf: (replica: ReplicaKey) => SimulatedDisk | undefined,
    term: bigint,
  ): void {
    const isHeldBy = (voters: readonly ReplicaKey[]) => {
      const holders = voters.filter((voter) => diskOf(voter)?.holds(index, term) === true)
      return holders.length >= majority(voters.length)
    }
    mustHold(
      voterSets.some(isHeldBy),
      'commit needs a majority of disks',
      () => `${index}/${term} of ${voterSets.join(' or ')}`,
    )
  }

  /** No vote and no acknowledgement leaves before the disk has what it promises. */
  sent(message: Message, disk: SimulatedDisk): void {
    const { term, vote } = disk.hardState
    const isDurable = (wanted: ReplicaKey | undefined) =>
      term > message.term || (term === message.term && (wanted === undefined || vote === wanted))
    if (message.type === 'voteReply' && message.granted) {
      mustHold(
        isDurable(message.to),
        'vote before the disk',
        () => `${message.from} to ${message.to}`,
      )
    } else if (message.type === 'vote') {
      mustHold(isDurable(message.from), 'campaign before the disk', () => message.from)
    } else if (message.type === 'appendReply' || message.type === 'heartbeatReply') {
      mustHold(isDurable(undefined), 'term before the disk', () => message.from)
    }
    if (message.type !== 'appendReply' || message.rejected !== undefined) return
    mustHold(
      disk.lastIndex >= message.matchIndex,
      'acknowledgement before the disk',
      () => `${message.from} has ${disk.lastIndex}, says ${message.matchIndex}`,
    )
  }
}
