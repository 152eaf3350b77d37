/** A cluster of replicas on a network that loses, doubles, delays and cuts, with clients that propose and read. */
import type { Entry, Message, ReplicaKey } from '@naru/raft'
import { majority } from '@naru/raft'
import { EventQueue } from '../event-queue.ts'
import { SeededRandom } from '../seeded-random.ts'
import { mustHold, RaftHistory } from './raft-history.ts'
import {
  electionBaseMs,
  heartbeatMs,
  type ReplicaWorld,
  SimulatedReplica,
} from './simulated-replica.ts'

/** Drawn from the seed: what a run has to bear. Rates are per message or per write. */
export interface Faults {
  readonly loss: number
  readonly duplication: number
  readonly delayMsMax: number
  readonly slowDisk: number
}

export class RaftWorld implements ReplicaWorld {
  readonly queue = new EventQueue()
  readonly history = new RaftHistory()
  readonly random: SeededRandom
  readonly replicas = new Map<ReplicaKey, SimulatedReplica>()
  readonly contacts: ReplicaKey[] = []
  readonly #network: SeededRandom
  readonly #disks: SeededRandom
  faults: Faults
  /** `from>to` of the links that are cut. */
  readonly cut = new Set<string>()
  readonly #proposed = new Map<string, { index: bigint; term: bigint }>()
  readonly #acknowledged = new Map<string, bigint>()
  readonly #reads = new Map<number, bigint>()
  #serial = 0

  constructor(seed: number, size: number, faults: Faults) {
    this.random = new SeededRandom(seed)
    this.#network = this.random.split()
    this.#disks = this.random.split()
    this.faults = faults
    const voters = Array.from({ length: size }, (_, position) => `${position + 1}/a`)
    this.contacts.push(...voters)
    for (const key of voters) {
      const replica = this.#add(key)
      const entry: Entry = { index: 1n, term: 1n, kind: 'voters', voters }
      replica.disk.write({
        hardState: { term: 1n, vote: undefined },
        reset: undefined,
        entries: [entry],
      })
    }
    for (const replica of this.replicas.values()) replica.start()
  }

  get running(): SimulatedReplica[] {
    return [...this.replicas.values()].filter(({ raft }) => raft !== undefined)
  }

  /** Whom most replicas would call the leader; undefined while there is none. */
  get leader(): SimulatedReplica | undefined {
    const leaders = this.running.filter(({ raft }) => raft?.role === 'leader')
    return leaders.sort((a, b) => Number((b.raft?.term ?? 0n) - (a.raft?.term ?? 0n)))[0]
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  /** A node comes back with an empty disk: a new replica, without a vote, at the old one's address. */
  replace(gone: ReplicaKey, present: ReplicaKey): void {
    const at = this.contacts.indexOf(gone)
    if (at >= 0) this.contacts[at] = present
    this.#add(present).start()
  }

  send(message: Message): void {
    const { loss, duplication, delayMsMax } = this.faults
    if (this.#network.chance(loss)) return
    const copies = this.#network.chance(duplication) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const isLate = this.#network.chance(0.02)
      const delayMs = 0.2 + (this.#network.below(1_000) / 1_000) * (isLate ? 40 : 1) * delayMsMax
      this.queue.after(delayMs, () => {
        if (this.cut.has(`${message.from}>${message.to}`)) return
        this.replicas.get(message.to)?.receive(message)
      })
    }
  }

  diskMs(): number {
    if (this.#disks.chance(this.faults.slowDisk)) return this.#disks.below(400)
    return 0.1 + this.#disks.below(20) / 10
  }

  diskOf(replica: ReplicaKey) {
    return this.replicas.get(replica)?.disk
  }

  /** Proposes one entry to a replica, which may refuse it. */
  propose(replica: SimulatedReplica): void {
    const payload = `p${this.#serial++}`
    const result = replica.raft?.propose([{ kind: 'data', payload: Buffer.from(payload) }])
    if (typeof result === 'object') this.#proposed.set(payload, result)
    replica.pump()
  }

  read(replica: SimulatedReplica): void {
    const id = this.#serial++
    if (replica.raft?.read(id) !== undefined) return
    this.#reads.set(id, this.#lastAcknowledged())
    replica.pump()
  }

  onApplied(_: ReplicaKey, entry: Entry): void {
    if (entry.kind !== 'data') return
    const payload = entry.payload.toString()
    const proposal = this.#proposed.get(payload)
    // Only the leader that took it can tell that it was its own.
    if (proposal?.index === entry.index && proposal.term === entry.term) {
      this.#acknowledged.set(payload, entry.index)
    }
  }

  /** Linearizable: a read sees everything that was acknowledged before it began. */
  onRead(id: number, index: bigint): void {
    const least = this.#reads.get(id) ?? 0n
    mustHold(
      index >= least,
      'reads are linearizable',
      () => `read ${id} at ${index}, saw ${least} before`,
    )
  }

  /** Everything acknowledged is in the log, once, at its place. */
  audit(): void {
    for (const [payload, index] of this.#acknowledged) {
      mustHold(
        this.history.payloadAt(index) === payload,
        'acknowledged proposals stay',
        () => `${payload} at ${index}`,
      )
    }
    const payloads = this.history.payloads()
    mustHold(new Set(payloads).size === payloads.length, 'proposals commit once', () => 'one twice')
  }

  /** A leader that a majority cannot answer gives up in time (R3). */
  checkQuorums(): void {
    const limitMs = 2 * electionBaseMs + heartbeatMs
    for (const { key, raft, heardMs, steadySinceMs } of this.running) {
      if (raft?.role !== 'leader' || this.queue.nowMs - steadySinceMs < limitMs) continue
      const { voters } = raft
      const alive = voters.filter(
        (voter) => voter === key || this.queue.nowMs - (heardMs.get(voter) ?? 0) < limitMs,
      )
      mustHold(
        alive.length >= majority(voters.length),
        'a leader without a majority gives up',
        () => `${key} of term ${raft.term} hears only ${alive.join(',')}`,
      )
    }
  }

  #lastAcknowledged(): bigint {
    let last = 0n
    for (const index of this.#acknowledged.values()) if (index > last) last = index
    return last
  }

  #add(key: ReplicaKey): SimulatedReplica {
    const replica = new SimulatedReplica(key, this)
    this.replicas.set(key, replica)
    return replica
  }
}
