/**
 * What the disk of one replica holds, and what a start finds there. A write under way when its process dies is there in part: each of
 * its stages is there whole or not at all, in their order, so no entry is newer than the term.
 */
import { crc32c } from '@naru/base'
import {
  type Entry,
  entriesAfter,
  type HardState,
  type Persist,
  type ReplicaKey,
  type Snapshot,
  type StoredState,
} from '@naru/raft'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'

/** Kept beside the newest, since it may be on its way to another replica. */
const snapshotsKept = 2

interface StoredSnapshot {
  readonly snapshot: Snapshot
  readonly bytes: Buffer
}

export interface DiskWrite {
  readonly stages: readonly (() => void)[]
}

export class RaftDisk {
  readonly key: ReplicaKey
  hardState: HardState = { term: 0n, vote: undefined }
  entries: readonly Entry[] = []
  isRecovering = false
  recoveries = 0
  /** Somebody has the storage open. */
  isHeld = false
  received = Buffer.alloc(0)
  /** In the order in which they were stored, the last one first. */
  #snapshots: readonly StoredSnapshot[] = []
  readonly #underWay = new Set<DiskWrite>()
  /** Taken away by a compaction that is not synced yet. */
  #compacted: readonly Entry[] = []
  /** Cannot be read, and a start will see it. */
  #damagedIndex: bigint | undefined
  /** Terms of the entries that were lost by damage, until the replica is whole again. */
  readonly #lost = new Map<bigint, bigint>()

  constructor(key: ReplicaKey) {
    this.key = key
  }

  get lastIndex(): bigint {
    const last = this.entries.at(-1)?.index ?? 0n
    const covered = this.#newest?.index ?? 0n
    return last > covered ? last : covered
  }

  /** It has the entry, or a snapshot of it, or had it and knows that it has to get it back. */
  holds(index: bigint, term: bigint): boolean {
    if (this.isRecovering && this.#lost.get(index) === term) return true
    if (index <= (this.#newest?.index ?? 0n)) return true
    const first = this.entries[0]?.index ?? 0n
    return this.entries[Number(index - first)]?.term === term
  }

  /** A received one may be newer than one that was taken before and stored after it. */
  get #newest(): Snapshot | undefined {
    const all = this.#snapshots.map(({ snapshot }) => snapshot)
    return all.sort((a, b) => (a.index > b.index ? -1 : 1))[0]
  }

  begin(stages: DiskWrite['stages']): DiskWrite {
    const write = { stages }
    this.#underWay.add(write)
    return write
  }

  complete(write: DiskWrite): void {
    this.#underWay.delete(write)
    for (const stage of write.stages) stage()
  }

  /** The process is gone. */
  interrupt(random: SeededRandom, { isPowerLost }: { isPowerLost: boolean }): void {
    for (const { stages } of this.#underWay) {
      for (const stage of stages.slice(0, random.below(stages.length + 1))) stage()
    }
    this.#underWay.clear()
    if (isPowerLost && random.chance(0.5)) this.#bringBackCompacted()
    this.#compacted = []
    this.isHeld = false
  }

  /** The entry `back` places before the last, and so all that follow it, cannot be read any more. */
  damage(back: number): void {
    const at = this.entries.at(-1 - back) ?? this.entries[0]
    if (at !== undefined) this.#damagedIndex = at.index
  }

  /** What a start finds. */
  open(): StoredState {
    this.isHeld = true
    this.received = Buffer.alloc(0)
    const snapshot = this.#newest
    const damagedIndex = this.#damagedIndex
    this.#damagedIndex = undefined
    let found = this.entries
    if (damagedIndex !== undefined) {
      found = found.filter(({ index }) => index < damagedIndex)
      for (const { index, term } of this.entries.slice(found.length)) this.#lost.set(index, term)
      this.isRecovering = true
      this.recoveries++
    }
    const isGap = (found[0]?.index ?? 0n) > (snapshot?.index ?? 0n) + 1n
    mustHold(!isGap, 'no gap behind the snapshot', () => `${this.key} begins at ${found[0]?.index}`)
    this.entries = snapshot === undefined ? found : entriesAfter(snapshot, found)
    const { hardState, entries, isRecovering, recoveries } = this
    return { hardState, snapshot, entries, isRecovering, recoveries }
  }

  stagesOf({ hardState, reset, entries }: Persist): (() => void)[] {
    const stages: (() => void)[] = []
    if (hardState !== undefined) stages.push(() => this.#writeHardState(hardState))
    if (reset !== undefined || entries.length > 0) {
      stages.push(() => this.#writeEntries(reset === undefined ? this.entries : [], entries))
    }
    return stages
  }

  recovered(): void {
    this.isRecovering = false
    this.#lost.clear()
  }

  compact(index: bigint): void {
    this.#compacted = [...this.#compacted, ...this.entries.filter((entry) => entry.index <= index)]
    this.entries = this.entries.filter((entry) => entry.index > index)
  }

  saveSnapshot(snapshot: Snapshot, state: Buffer): void {
    const bytes = Buffer.concat([Buffer.alloc(4), state])
    bytes.writeUInt32BE(crc32c(state))
    const others = this.#snapshots.filter((each) => each.snapshot.index !== snapshot.index)
    this.#snapshots = [{ snapshot, bytes }, ...others].slice(0, snapshotsKept)
  }

  /** As it is sent to others. */
  snapshotBytes(index: bigint): Buffer | undefined {
    return this.#snapshots.find(({ snapshot }) => snapshot.index === index)?.bytes
  }

  #writeHardState(hardState: HardState): void {
    const { term, vote } = this.hardState
    const isForward =
      hardState.term > term ||
      (hardState.term === term && (vote === undefined || hardState.vote === vote))
    mustHold(isForward, 'term and vote never go back', () => `${this.key}: ${term}/${vote}`)
    this.hardState = hardState
  }

  #writeEntries(kept: readonly Entry[], entries: readonly Entry[]): void {
    const [first] = entries
    const before = first === undefined ? kept : kept.filter(({ index }) => index < first.index)
    this.entries = [...before, ...entries]
    // A later sync covers what was written before it.
    this.#compacted = []
  }

  #bringBackCompacted(): void {
    const last = this.#compacted.at(-1)?.index
    if (last !== undefined && (this.entries[0]?.index ?? last + 1n) === last + 1n) {
      this.entries = [...this.#compacted, ...this.entries]
    }
  }
}

/** The state in a snapshot as it is sent; undefined when it does not add up. */
export function stateIn(bytes: Buffer | undefined): Buffer | undefined {
  if (bytes === undefined || bytes.length < 4) return undefined
  const state = bytes.subarray(4)
  return crc32c(state) === bytes.readUInt32BE(0) ? state : undefined
}
