/**
 * Reads that see everything acknowledged before they began, without a write: the leader notes its commit index and asks a majority,
 * in a round of heartbeats that begins after the read arrived, whether it still leads (Raft §8, thesis §6.4). No leases: a clock
 * that stood still would make them lie.
 */
interface PendingRead {
  readonly id: number
  readonly round: number
  readonly index: bigint
}

export class ReadIndex {
  readonly #limit: number
  /** Arrived since the last round began, or before the leader could know what is committed. */
  #arrived: number[] = []
  #pending: PendingRead[] = []
  #round = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get round(): number {
    return this.#round
  }

  /** False when too many wait already. */
  add(id: number): boolean {
    if (this.#arrived.length + this.#pending.length >= this.#limit) return false
    this.#arrived.push(id)
    return true
  }

  /** Begins a round for the reads that arrived. False when there is none. */
  begin(commitIndex: bigint): boolean {
    if (this.#arrived.length === 0) return false
    this.#round++
    const round = this.#round
    this.#pending.push(...this.#arrived.map((id) => ({ id, round, index: commitIndex })))
    this.#arrived = []
    return true
  }

  /** A majority has answered all rounds up to `round`. */
  confirm(round: number): { id: number; index: bigint }[] {
    const done = this.#pending.filter((read) => read.round <= round)
    this.#pending = this.#pending.filter((read) => read.round > round)
    return done.map(({ id, index }) => ({ id, index }))
  }

  /** Ids of all that wait: the leader leads no more. */
  abandon(): number[] {
    const ids = [...this.#pending.map(({ id }) => id), ...this.#arrived]
    this.#pending = []
    this.#arrived = []
    return ids
  }
}
