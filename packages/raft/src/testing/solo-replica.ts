/** One replica alone with its test: what reaches it is said line by line, and its disk writes when it is told to. */
import type { Random } from '@naru/base'
import type { Entry, ReplicaKey, Snapshot } from '../entry.ts'
import type { Draft, Message, MessageOf, MessageType } from '../messages.ts'
import { defaultLimits, type RaftLimits } from '../options.ts'
import { Raft } from '../raft.ts'
import type { Persist, RaftEvent, Ready } from '../ready.ts'
import type { StoredState } from '../replica.ts'
import type { Proposal } from '../roles/leader.ts'

export const electionBaseMs = 600
export const heartbeatMs = 150
const roundsMax = 1_000

export interface SoloOptions {
  readonly self?: ReplicaKey
  readonly voters?: readonly ReplicaKey[]
  readonly term?: bigint
  readonly vote?: ReplicaKey
  /** Terms of the entries that it has stored, from the first one on. */
  readonly log?: readonly bigint[]
  /** What the log follows; without it the log begins at 1 and the voters come from nowhere. */
  readonly snapshot?: Snapshot
  readonly isRecovering?: boolean
  readonly recoveries?: number
  readonly seed?: number
  readonly limits?: Partial<RaftLimits>
  readonly trailingEntries?: number
  readonly contacts?: readonly ReplicaKey[]
}

/** Everything that came out of a few `Ready`s. */
export interface Done {
  readonly messages: Message[]
  readonly committed: Entry[]
  readonly events: RaftEvent[]
  readonly reads: { readonly id: number; readonly index: bigint }[]
  readonly failedReads: number[]
  readonly chunks: Ready['chunks'][number][]
  readonly received: Ready['received'][number][]
}

export class SoloReplica {
  readonly #options: SoloOptions
  readonly self: ReplicaKey
  raft: Raft
  nowMs = 1_000
  /** What the disk holds, but for its first entry's place. */
  stored: StoredState
  #writing: Persist | undefined

  constructor(options: SoloOptions = {}) {
    this.#options = options
    this.self = options.self ?? '1'
    this.stored = storedBy(options)
    this.raft = this.#start()
  }

  /** The process dies and starts again with what the disk has. */
  restart(change: Partial<StoredState> = {}): void {
    this.#writing = undefined
    this.stored = { ...this.stored, ...change }
    this.raft = this.#start()
  }

  /** A message arrives, of the replica's own term unless another is named. */
  hear(from: ReplicaKey, draft: Draft, term = this.raft.term): void {
    this.raft.step({ ...draft, from, to: this.self, term } as Message, this.nowMs)
  }

  /** Time passes up to the next deadline. */
  timeOut(): void {
    this.pass(Math.max(0, this.raft.deadlineMs - this.nowMs))
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.raft.elapsed(this.nowMs)
  }

  /** Says what there is to do, and writes nothing. */
  look(): Done {
    return this.#take(newDone())
  }

  /** The write that `look` began ends. */
  write(): void {
    const writing = this.#writing
    if (writing === undefined) throw new Error('Nothing is being written')
    this.#writing = undefined
    this.stored = written(this.stored, writing)
    this.raft.persisted(this.nowMs)
  }

  get isWriting(): boolean {
    return this.#writing !== undefined
  }

  /** Does everything that there is to do; a snapshot's pieces are left to the test. */
  run(): Done {
    const done = newDone()
    for (let round = 0; round < roundsMax; round++) {
      const { length } = done.committed
      this.#take(done)
      if (this.#writing !== undefined) this.write()
      else if (done.committed.length === length) return done
    }
    throw new Error('The replica does not come to rest')
  }

  /** It times out and wins its pre-vote: a candidate of the next term. */
  campaign(): Done {
    this.timeOut()
    const term = this.raft.term + 1n
    for (const voter of this.others())
      this.hear(voter, { type: 'preVoteReply', granted: true }, term)
    return this.run()
  }

  /** It campaigns and wins. Its no-op is in its own log only. */
  lead(): Done {
    this.campaign()
    for (const voter of this.others()) {
      if (this.raft.role === 'candidate') this.hear(voter, { type: 'voteReply', granted: true })
    }
    return this.run()
  }

  /** A leader whose no-op all others have acknowledged. */
  leadAll(): Done {
    this.lead()
    this.acknowledge(...this.others())
    return this.run()
  }

  /** These replicas have all that the leader has, on their disks, and hear it. */
  acknowledge(...replicas: ReplicaKey[]): void {
    const matchIndex = this.raft.log.lastIndex
    for (const replica of replicas) this.hear(replica, accepts(matchIndex))
  }

  propose(...texts: string[]): ReturnType<Raft['propose']> {
    return this.raft.propose(texts.map(dataOf))
  }

  others(): ReplicaKey[] {
    return this.raft.voters.filter((voter) => voter !== this.self)
  }

  /** Terms of the log, as the replica has it in memory. */
  terms(): bigint[] {
    const { baseIndex, lastIndex } = this.raft.log
    const terms: bigint[] = []
    for (let index = baseIndex + 1n; index <= lastIndex; index++) {
      terms.push(this.raft.log.termAt(index) as bigint)
    }
    return terms
  }

  #take(done: Done): Done {
    const ready = this.raft.takeReady()
    if (ready.persist !== undefined) this.#writing = ready.persist
    done.messages.push(...ready.messages)
    done.committed.push(...ready.committed)
    done.events.push(...ready.events)
    done.reads.push(...ready.reads)
    done.failedReads.push(...ready.failedReads)
    done.chunks.push(...ready.chunks)
    done.received.push(...ready.received)
    return done
  }

  #start(): Raft {
    const { seed = 1, limits = {}, trailingEntries = 0, contacts = [] } = this.#options
    return new Raft(
      {
        self: this.self,
        random: randomFrom(seed),
        electionBaseMs,
        heartbeatMs,
        contacts,
        trailingEntries,
        limits: { ...defaultLimits, ...limits },
      },
      this.stored,
      this.nowMs,
    )
  }
}

/** Runs these replicas and carries their messages until none is left; what is not for one of them, or may not pass, is lost. */
export function exchange(
  replicas: readonly SoloReplica[],
  mayPass: (message: Message) => boolean = () => true,
): Message[] {
  const carried: Message[] = []
  for (let round = 0; round < roundsMax; round++) {
    const sent = replicas.flatMap((replica) => replica.run().messages).filter(mayPass)
    if (sent.length === 0) return carried
    carried.push(...sent)
    for (const message of sent) {
      const receiver = replicas.find(({ self }) => self === message.to)
      receiver?.raft.step(message, receiver.nowMs)
    }
  }
  throw new Error('The replicas do not come to rest')
}

export function ofType<T extends MessageType>(
  { messages }: Pick<Done, 'messages'>,
  type: T,
): MessageOf<T>[] {
  return messages.filter((message): message is MessageOf<T> => message.type === type)
}

export function accepts(matchIndex: bigint, recoveries = 0): Draft {
  return { type: 'appendReply', matchIndex, isRecovering: false, recoveries }
}

export function rejects(prevIndex: bigint, hintIndex: bigint, hintTerm: bigint): Draft {
  const rejected = { prevIndex, hintIndex, hintTerm }
  return { type: 'appendReply', matchIndex: 0n, rejected, isRecovering: false, recoveries: 0 }
}

/** Entries of these terms after the place (prevIndex, prevTerm). */
export function appends(
  [prevIndex, prevTerm]: readonly [bigint, bigint],
  terms: readonly bigint[],
  commitIndex = 0n,
): Draft {
  return { type: 'append', prevIndex, prevTerm, entries: entriesOf(terms, prevIndex), commitIndex }
}

export function entriesOf(terms: readonly bigint[], after = 0n): Entry[] {
  return terms.map((term, position) => ({
    index: after + BigInt(position + 1),
    term,
    kind: 'noop',
  }))
}

export function dataOf(text: string): Proposal & { kind: 'data' } {
  return { kind: 'data', payload: Buffer.from(text) }
}

/** Reproducible draws (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed | 0
  const uint32 = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return { uint32, bytes: (length) => Buffer.from(Array.from({ length }, () => uint32() & 0xff)) }
}

function storedBy(options: SoloOptions): StoredState {
  const { voters = ['1', '2', '3'], term = 0n, vote, log = [] } = options
  const { isRecovering = false, recoveries = isRecovering ? 1 : 0 } = options
  const snapshot = options.snapshot ?? { index: 0n, term: 0n, voters }
  const entries = entriesOf(log, snapshot.index)
  return { hardState: { term, vote }, snapshot, entries, isRecovering, recoveries }
}

function written(stored: StoredState, { hardState, reset, entries }: Persist): StoredState {
  const first = entries[0]?.index
  const kept = stored.entries.filter(({ index }) => first === undefined || index < first)
  return {
    ...stored,
    hardState: hardState ?? stored.hardState,
    snapshot: reset ?? stored.snapshot,
    entries: [...(reset === undefined ? kept : []), ...entries],
  }
}

function newDone(): Done {
  const done = { messages: [], committed: [], events: [], reads: [], failedReads: [] }
  return { ...done, chunks: [], received: [] }
}
