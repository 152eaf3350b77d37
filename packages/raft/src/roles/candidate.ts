/** Wants to lead: first asks whether it would win, without disturbing anybody, then campaigns in a new term. */
import { electionTimeoutMs, preVoteTimeoutMs } from '../election-timeout.ts'
import type { ReplicaKey } from '../entry.ts'
import type { Message, MessageOf } from '../messages.ts'
import { tally } from '../quorum.ts'
import type { Replica } from '../replica.ts'
import type { RoleBehaviour, Transition } from './role.ts'

export class Candidate implements RoleBehaviour {
  readonly role = 'candidate'
  readonly leader = undefined
  readonly hasLiveLeader = false
  readonly #replica: Replica
  readonly #votes = new Map<ReplicaKey, boolean>()
  #isPreVote = true
  #deadlineMs = 0

  constructor(replica: Replica, { isHandover }: { isHandover: boolean }) {
    this.#replica = replica
    if (isHandover) this.#campaign()
    else this.#ask()
  }

  get deadlineMs(): number {
    return this.#deadlineMs
  }

  /** It has not campaigned yet. */
  get isAsking(): boolean {
    return this.#isPreVote
  }

  step(message: Message): Transition {
    const wanted = this.#isPreVote ? 'preVoteReply' : 'voteReply'
    if (message.type !== wanted || this.#isOutdated(message)) return undefined
    this.#votes.set(message.from, message.granted)
    return this.#count()
  }

  elapsed(): Transition {
    const { nowMs, isElectable } = this.#replica
    if (nowMs < this.#deadlineMs) return undefined
    return isElectable
      ? { to: 'candidate', isHandover: false }
      : { to: 'follower', leader: undefined }
  }

  /** Its own vote counts once it is on the disk. */
  persisted(): Transition {
    if (this.#isPreVote || !this.#replica.isHardStateDurable) return undefined
    this.#votes.set(this.#replica.self, true)
    return this.#count()
  }

  emit(): void {}

  end(): void {}

  /** A single voter has no one to ask: it wins each step as soon as it counts. */
  begin(): Transition {
    return this.#count()
  }

  #ask(): void {
    const { options, nowMs, term } = this.#replica
    this.#isPreVote = true
    this.#deadlineMs = nowMs + preVoteTimeoutMs(options.random, options.electionBaseMs)
    this.#votes.set(this.#replica.self, true)
    const draft = { type: 'preVote', ...this.#lastEntry() } as const
    for (const voter of this.#others()) this.#replica.sendUnbound(voter, draft, term + 1n)
  }

  #campaign(): void {
    const { options, nowMs, term, self } = this.#replica
    this.#isPreVote = false
    this.#votes.clear()
    this.#deadlineMs = nowMs + electionTimeoutMs(options.random, options.electionBaseMs)
    this.#replica.enterTerm(term + 1n, self)
    for (const voter of this.#others()) {
      this.#replica.send(voter, { type: 'vote', ...this.#lastEntry() })
    }
  }

  #count(): Transition {
    const outcome = tally(this.#replica.membership.voters, this.#votes)
    if (outcome === 'lost') return { to: 'follower', leader: undefined }
    if (outcome === 'open') return undefined
    if (!this.#isPreVote) return { to: 'leader' }
    this.#campaign()
    return undefined
  }

  /** Promised for an election that is over by now. */
  #isOutdated({ type, granted, term }: MessageOf<'preVoteReply' | 'voteReply'>): boolean {
    return type === 'preVoteReply' && granted && term !== this.#replica.term + 1n
  }

  #others(): ReplicaKey[] {
    return this.#replica.membership.voters.filter((voter) => voter !== this.#replica.self)
  }

  #lastEntry() {
    const { lastIndex, lastTerm } = this.#replica.log
    return { lastIndex, lastTerm }
  }
}
