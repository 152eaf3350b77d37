/** What a replicated log is for. All calls are made one after the other, in the order of the log. */
export interface StateMachine {
  /** Applies the payload of one entry. */
  apply(payload: Buffer, index: bigint): void
  /** The state as bytes after the entry at `index`, up to which everything is applied. */
  snapshot(index: bigint): Buffer
  /** Starts over from such bytes, the state after the entry at `index`. */
  restore(state: Buffer, index: bigint): void
}
