/** Majorities. All of them are over the voters alone, whoever else has an opinion. */
import type { ReplicaKey } from './entry.ts'

export function majority(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1
}

/** The largest value that a majority of the voters has reached; undefined when there are no voters. */
export function reachedByMajority<T extends bigint | number>(
  voters: readonly ReplicaKey[],
  reached: (voter: ReplicaKey) => T,
): T | undefined {
  const descending = voters.map(reached).sort((a, b) => (a > b ? -1 : a < b ? 1 : 0))
  return descending[majority(voters.length) - 1]
}

export type Tally = 'won' | 'lost' | 'open'

/** What the votes given so far come to. */
export function tally(
  voters: readonly ReplicaKey[],
  votes: ReadonlyMap<ReplicaKey, boolean>,
): Tally {
  const granted = voters.filter((voter) => votes.get(voter) === true).length
  const denied = voters.filter((voter) => votes.get(voter) === false).length
  if (granted >= majority(voters.length)) return 'won'
  return denied > voters.length - majority(voters.length) ? 'lost' : 'open'
}
