/** What a replicated log is for. All calls are made one after the other, in the order of the log. */
export interface StateMachine {
  /** Applies the payload of one entry. */
  apply(payload: Buffer, index: bigint): void
  /** The state as bytes, as it is when this is called, after the entry at `index`; may take several turns. */
  snapshot(index: bigint): Promise<Buffer>
  /** Starts over from such bytes, the state after the entry at `index`. */
  restore(state: Buffer, index: bigint): void
}
