/**
 * Who votes, at each place of the log. A change is in force from the moment it is appended and is taken back when its entry is
 * cut off (Raft thesis §4.1), so the sets of the whole log are kept, not only the latest.
 */
import { assert } from '@naru/base'
import type { ReplicaKey } from './entry.ts'

interface VoterSet {
  readonly index: bigint
  readonly voters: readonly ReplicaKey[]
}

export class Membership {
  /** Ascending by index; the first one stands for everything before the log. */
  #sets: VoterSet[]

  constructor(base: VoterSet) {
    this.#sets = [base]
  }

  get voters(): readonly ReplicaKey[] {
    return this.#latest.voters
  }

  /** Index of the entry that made the present voters. */
  get index(): bigint {
    return this.#latest.index
  }

  isVoter(replica: ReplicaKey): boolean {
    return this.voters.includes(replica)
  }

  /** The voters after the entry at `index`. */
  at(index: bigint): readonly ReplicaKey[] {
    const set = this.#sets.findLast((each) => each.index <= index)
    assert(set !== undefined, `The voters at ${index} are known no more`)
    return set.voters
  }

  /** Whether `replica` votes in a set that may be the one in force, when what is committed is known up to `index`. */
  mayVote(replica: ReplicaKey, index: bigint): boolean {
    const from = this.#sets.findLastIndex((set) => set.index <= index)
    return this.#sets.slice(Math.max(0, from)).some(({ voters }) => voters.includes(replica))
  }

  append(index: bigint, voters: readonly ReplicaKey[]): void {
    assert(index > this.index, 'Voter sets come in the order of the log')
    this.#sets.push({ index, voters: [...voters].sort() })
  }

  /** The entries from `index` on are gone. */
  truncate(index: bigint): void {
    this.#sets = this.#sets.filter((set, position) => position === 0 || set.index < index)
  }

  /** The log begins after `index` now: the sets before it are needed no more. */
  forgetBefore(index: bigint): void {
    const keep = this.#sets.findLastIndex((set) => set.index <= index)
    this.#sets = this.#sets.slice(Math.max(0, keep))
  }

  reset(base: VoterSet): void {
    this.#sets = [base]
  }

  get #latest(): VoterSet {
    return this.#sets.at(-1) as VoterSet
  }
}
