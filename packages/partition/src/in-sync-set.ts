/**
 * The in-sync set (ISR) as its leader sees it: what the controller has committed, and what it may have committed by now. Until a
 * higher partition epoch is seen, every proposal that was ever sent may still take effect, so nothing is acknowledged without the
 * members of all of them (maximal ISR, KIP-497).
 */
import { assert } from '@naru/base'
import type { NodeId } from '@naru/model'

export interface IsrProposal {
  readonly partitionEpoch: number
  readonly members: readonly NodeId[]
  /** Everything committed is on the disks of the members. */
  readonly hasFlushed: boolean
  /** Nothing changes but the partition epoch, which voids all earlier proposals. */
  readonly bump: boolean
}

export class InSyncSet {
  #partitionEpoch: number
  #members: readonly NodeId[]
  #maximal: readonly NodeId[]
  #pending: IsrProposal | undefined

  constructor(committed: { readonly partitionEpoch: number; readonly isr: readonly NodeId[] }) {
    this.#partitionEpoch = committed.partitionEpoch
    this.#members = committed.isr
    this.#maximal = committed.isr
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch
  }

  /** As committed. */
  get members(): readonly NodeId[] {
    return this.#members
  }

  /** Whoever may be a member. */
  get maximal(): readonly NodeId[] {
    return this.#maximal
  }

  /** A proposal is under way: there is never a second one. */
  get isPending(): boolean {
    return this.#pending !== undefined
  }

  /** Earlier proposals may still be on their way to the controller. */
  get isUnsettled(): boolean {
    return this.#maximal.length > this.#members.length
  }

  /** The committed state; false when it is not newer than what is known. */
  adopt(committed: { readonly partitionEpoch: number; readonly isr: readonly NodeId[] }): boolean {
    if (committed.partitionEpoch <= this.#partitionEpoch) return false
    this.#partitionEpoch = committed.partitionEpoch
    this.#members = committed.isr
    this.#maximal = committed.isr
    this.#pending = undefined
    return true
  }

  /** What to ask of the controller so that `members` are in sync and nobody else; undefined when that is so. */
  propose(members: readonly NodeId[], hasFlushed: boolean): IsrProposal | undefined {
    assert(this.#pending === undefined, 'A second proposal while one is under way')
    const isSame = sameMembers(members, this.#members)
    if (isSame && !hasFlushed && !this.isUnsettled) return undefined
    const { partitionEpoch } = this
    this.#pending = { partitionEpoch, members, hasFlushed, bump: isSame && this.isUnsettled }
    const added = members.filter((id) => !this.#maximal.includes(id))
    if (added.length > 0) this.#maximal = [...this.#maximal, ...added]
    return this.#pending
  }

  /** Refused, or nobody knows what became of it: it may still take effect. False when that is known meanwhile. */
  unanswered(proposal: IsrProposal): boolean {
    if (this.#pending !== proposal) return false
    this.#pending = undefined
    return true
  }
}

function sameMembers(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id))
}
