/** Takes the log from a leader, or waits for one. A replica that may not campaign asks around for the leader instead. */
import { assert, crc32c } from '@naru/base'
import { electionTimeoutMs, preVoteTimeoutMs, rankDelayMs } from '../election-timeout.ts'
import type { ReplicaKey, Snapshot } from '../entry.ts'
import type { Message, MessageOf } from '../messages.ts'
import type { ReceivedChunk } from '../ready.ts'
import type { Replica } from '../replica.ts'
import type { RoleBehaviour, Transition } from './role.ts'

interface Receiving {
  readonly snapshot: Snapshot
  nextOffset: number
  isStoring: boolean
}

export class Follower implements RoleBehaviour {
  readonly role = 'follower'
  readonly #replica: Replica
  #leader: ReplicaKey | undefined
  #heardMs = Number.NEGATIVE_INFINITY
  #electionMs: number
  #observeMs: number
  #contact = 0
  /** The log is the leader's up to here, on the disk or not. */
  #matchedIndex = 0n
  #acknowledgedIndex = -1n
  #owesReply = false
  #receiving: Receiving | undefined
  /** What a recovering replica lost lies at or below this; undefined while no leader has said so. */
  #recoverTo: bigint | undefined

  constructor(
    replica: Replica,
    { leader, isFirst }: { leader: ReplicaKey | undefined; isFirst?: boolean },
  ) {
    this.#replica = replica
    this.#leader = leader
    this.#electionMs = isFirst === true ? this.#firstElectionMs() : this.#randomElectionMs()
    this.#observeMs = replica.nowMs
  }

  get leader(): ReplicaKey | undefined {
    return this.#leader
  }

  get hasLiveLeader(): boolean {
    return (
      this.#leader !== undefined &&
      this.#replica.nowMs - this.#heardMs < this.#replica.options.electionBaseMs
    )
  }

  get deadlineMs(): number {
    return this.#replica.isElectable ? this.#electionMs : this.#observeMs
  }

  step(message: Message): Transition {
    switch (message.type) {
      case 'append':
        this.#hear(message.from)
        this.#append(message)
        break
      case 'heartbeat':
        this.#hear(message.from)
        this.#recall(message.commitIndex)
        this.#commitTo(message.commitIndex)
        if (message.recoverTo?.recoveries === this.#replica.recoveries) {
          this.#recoverTo = message.recoverTo.index
        }
        this.#askForRecovery()
        this.#replica.send(message.from, { type: 'heartbeatReply', round: message.round })
        break
      case 'snapshot':
        this.#hear(message.from)
        this.#receive(message)
        break
      case 'timeoutNow':
        if (this.#replica.isElectable) return { to: 'candidate', isHandover: true }
        break
      default:
    }
    return undefined
  }

  elapsed(): Transition {
    const { nowMs } = this.#replica
    if (this.#replica.isElectable) {
      return nowMs >= this.#electionMs ? { to: 'candidate', isHandover: false } : undefined
    }
    if (nowMs >= this.#observeMs) {
      this.#forget()
      this.#lookForLeader()
    }
    return undefined
  }

  persisted(): Transition {
    return undefined
  }

  /** Acknowledges what has reached the disk. */
  emit(): void {
    this.#endRecovery()
    if (!this.#owesReply || this.#leader === undefined) return
    const matchIndex = least(this.#matchedIndex, this.#replica.log.durableIndex)
    if (matchIndex < this.#matchedIndex && matchIndex <= this.#acknowledgedIndex) return
    this.#owesReply = matchIndex < this.#matchedIndex
    this.#acknowledgedIndex = matchIndex
    this.#reply({ matchIndex })
  }

  end(): void {}

  /** It voted for somebody: he gets the time to win. */
  voted(): void {
    this.#electionMs = this.#randomElectionMs()
  }

  /** Another one asks for votes: it gets the time to win, and not much more, as it may have died meanwhile. */
  madeWay(): void {
    const { options, nowMs } = this.#replica
    this.#electionMs = nowMs + preVoteTimeoutMs(options.random, options.electionBaseMs)
  }

  /** The leader is dead, whatever the clock says: the voters take turns to campaign. */
  forgetLeader(): void {
    const { membership, random, nowMs } = this.#context
    const candidates = membership.voters.filter((voter) => voter !== this.#leader)
    const rank = Math.max(0, candidates.indexOf(this.#replica.self))
    this.#electionMs = nowMs + rankDelayMs(random, rank)
    this.#forget()
  }

  /** A follower that campaigns next says so then; one that may not is without a leader from now on. */
  #forget(): void {
    if (this.#leader === undefined) return
    const { term, isElectable, events } = this.#replica
    this.#leader = undefined
    this.#heardMs = Number.NEGATIVE_INFINITY
    if (!isElectable) events.push({ type: 'role', role: 'follower', term, leader: undefined })
  }

  /** The piece is on the disk; `isUsable` false: it turned out that the snapshot has to come anew. */
  chunkStored({ snapshot, offset, data }: ReceivedChunk, isUsable: boolean): void {
    const receiving = this.#receiving
    if (receiving?.snapshot.index !== snapshot.index || receiving.nextOffset !== offset) return
    receiving.isStoring = false
    receiving.nextOffset = isUsable ? offset + data.length : 0
    const { nextOffset } = receiving
    if (this.#leader === undefined) return
    this.#replica.send(this.#leader, { type: 'snapshotReply', index: snapshot.index, nextOffset })
  }

  /** The snapshot is complete and on the disk; its state is committed, so the leader has it too. */
  snapshotInstalled(snapshot: Snapshot): void {
    this.#receiving = undefined
    this.#matched(snapshot.index)
  }

  get #context() {
    const { membership, options, nowMs } = this.#replica
    return { membership, random: options.random, nowMs }
  }

  /** At the start nobody has heard of a leader yet: the voters take turns, and the only voter need not wait. */
  #firstElectionMs(): number {
    const { membership, options, nowMs, self } = this.#replica
    if (membership.voters.length === 1) return nowMs
    const rank = Math.max(0, membership.voters.indexOf(self))
    return nowMs + options.heartbeatMs + rankDelayMs(options.random, rank)
  }

  #randomElectionMs(): number {
    const { options, nowMs } = this.#replica
    return nowMs + electionTimeoutMs(options.random, options.electionBaseMs)
  }

  #hear(leader: ReplicaKey): void {
    this.#leader = leader
    this.#heardMs = this.#replica.nowMs
    this.#electionMs = this.#randomElectionMs()
    this.#observeMs = this.#replica.nowMs + this.#replica.options.electionBaseMs
  }

  #append(message: MessageOf<'append'>): void {
    const { log } = this.#replica
    const { prevIndex, prevTerm, entries } = message
    if (prevIndex < log.commitIndex) {
      // Committed here already: the rest of the message may overlap it, and its beginning may be compacted.
      this.#matched(log.commitIndex)
      this.#mergeFrom(message, log.commitIndex)
      return
    }
    if (log.matches(prevIndex, prevTerm)) {
      this.#replica.merge(entries)
      this.#matched(entries.at(-1)?.index ?? prevIndex)
      this.#commitTo(least(message.commitIndex, this.#matchedIndex))
      return
    }
    const hintIndex = log.lastAtOrBelow(prevIndex, prevTerm)
    const hintTerm = log.termAt(hintIndex) ?? 0n
    this.#reply({ matchIndex: 0n, rejected: { prevIndex, hintIndex, hintTerm } })
  }

  /** Takes the part of a message that lies above what is committed. */
  #mergeFrom({ entries, commitIndex }: MessageOf<'append'>, committed: bigint): void {
    const { log } = this.#replica
    for (const { index, term } of entries) {
      const known = index > committed ? term : (log.termAt(index) ?? term)
      assert(known === term, `A leader contradicts the committed entry ${index}`)
    }
    const fresh = entries.filter(({ index }) => index > committed)
    if (fresh.length === 0) return
    this.#replica.merge(fresh)
    this.#matched((fresh.at(-1) as { index: bigint }).index)
    this.#commitTo(least(commitIndex, this.#matchedIndex))
  }

  /** A heartbeat tells no more than this replica has acknowledged to the leader, perhaps before it was started anew. */
  #recall(acknowledged: bigint): void {
    const { isRecovering, log } = this.#replica
    if (isRecovering) return
    this.#matchedIndex = greatest(this.#matchedIndex, least(acknowledged, log.lastIndex))
  }

  #matched(index: bigint): void {
    if (index > this.#matchedIndex) this.#matchedIndex = index
    this.#owesReply = true
    if (this.#acknowledgedIndex >= this.#matchedIndex) this.#acknowledgedIndex = -1n
  }

  /** Only as far as the log is known to be the leader's. */
  #commitTo(index: bigint): void {
    this.#replica.log.commitTo(least(index, this.#matchedIndex))
  }

  #receive(message: MessageOf<'snapshot'>): void {
    const { snapshot, offset, data, isLast } = message
    const { log } = this.#replica
    if (crc32c(data) !== message.crc) return
    if (snapshot.index <= log.commitIndex || log.matches(snapshot.index, snapshot.term)) {
      this.#matched(greatest(log.commitIndex, snapshot.index))
      this.#commitTo(snapshot.index)
      return
    }
    const receiving = this.#receivingOf(snapshot)
    if (receiving.isStoring) return
    if (offset !== receiving.nextOffset) {
      const { index } = snapshot
      const { nextOffset } = receiving
      this.#replica.send(message.from, { type: 'snapshotReply', index, nextOffset })
      return
    }
    receiving.isStoring = true
    this.#replica.received.push({ snapshot, offset, data, isLast })
  }

  #receivingOf(snapshot: Snapshot): Receiving {
    if (this.#receiving?.snapshot.index === snapshot.index) return this.#receiving
    this.#receiving = { snapshot, nextOffset: 0, isStoring: false }
    return this.#receiving
  }

  /** Everything that it may have lost is committed here again, and on the disk (R12). */
  #endRecovery(): void {
    const { log, isRecovering, events } = this.#replica
    if (!isRecovering || this.#recoverTo === undefined) return
    if (least(log.commitIndex, log.durableIndex) < this.#recoverTo) return
    this.#replica.isRecovering = false
    events.push({ type: 'recovered' })
    this.#owesReply = true
    this.#acknowledgedIndex = -1n
  }

  /** Lets the leader know that it has to say how far. */
  #askForRecovery(): void {
    if (!this.#replica.isRecovering || this.#recoverTo !== undefined) return
    this.#owesReply = true
    this.#acknowledgedIndex = -1n
  }

  #reply(body: Pick<MessageOf<'appendReply'>, 'matchIndex' | 'rejected'>): void {
    if (this.#leader === undefined) return
    const { isRecovering, recoveries } = this.#replica
    this.#replica.send(this.#leader, { type: 'appendReply', ...body, isRecovering, recoveries })
  }

  #lookForLeader(): void {
    const { membership, options } = this.#replica
    // Those that it knows as voters may all be gone since.
    const known = new Set([...membership.voters, ...options.contacts])
    const others = [...known].filter((replica) => replica !== this.#replica.self)
    const next = others[this.#contact++ % Math.max(1, others.length)]
    this.#observeMs = this.#replica.nowMs + options.heartbeatMs
    if (next !== undefined) this.#observe(next)
  }

  #observe(whom: ReplicaKey): void {
    this.#replica.sendUnbound(whom, { type: 'observe' }, this.#replica.term)
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
