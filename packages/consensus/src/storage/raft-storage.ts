/**
 * The port of a replica's disk. An operation that resolves is durable; one that rejects leaves a disk that nobody may rely on, and
 * the process ends (R13: after a failed fsync the page cache can lie).
 */
import type { Persist, Snapshot, StoredState } from '@naru/raft'

export interface RaftStorage extends AsyncDisposable {
  /** What was found at the start. */
  readonly stored: StoredState
  /** In one batch: the reset, the entries over whatever is stored from their index on, term and vote. */
  persist(write: Persist): Promise<void>
  /** The replica has everything again that it had lost. */
  noteRecovered(): Promise<void>
  /** Forgets the entries up to `index`, which a snapshot holds. */
  compact(index: bigint): Promise<void>
  /** Stores a snapshot, beside the one before. */
  saveSnapshot(snapshot: Snapshot, data: Buffer): Promise<void>
  /** The state in the snapshot at `index`; undefined when it is not there or damaged. */
  loadSnapshot(index: bigint): Promise<Buffer | undefined>
  /** Bytes of the snapshot at `index`; undefined when it is no longer there. `isLast`: it ends with them. */
  readSnapshot(
    index: bigint,
    offset: number,
    bytesMax: number,
  ): Promise<{ data: Buffer; isLast: boolean } | undefined>
  /** Adds a received piece; offset 0 begins anew. */
  receive(snapshot: Snapshot, offset: number, data: Buffer): Promise<void>
  /** Checks what was received and puts it in place. Undefined: it does not add up, and has to come anew. */
  finishReceived(snapshot: Snapshot): Promise<Buffer | undefined>
}
