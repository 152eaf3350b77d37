import type { File, FileSystem } from '@naru/base'
import type { FlushMode, LogCheckpoint, LogEnd } from './checkpoint.ts'
import { deletedSuffix, offsetOfFileName, segmentFileName } from './file-names.ts'
import type { RecoveredEntry } from './journal-round.ts'
import type { LogIdentity } from './log-identity.ts'
import type { PartitionFound } from './partition-directories.ts'
import { join } from './paths.ts'
import { scanTail } from './tail-scan.ts'

export interface RecoveredLog {
  readonly name: string
  readonly path: string
  readonly identity: LogIdentity
  readonly end: LogEnd
  readonly logStartOffset: bigint
  readonly flushMode: FlushMode
  readonly segments: readonly { baseOffset: bigint; sizeBytes: number }[]
  readonly isDamaged: boolean
}

/** Recovers one log: takes journal entries, then cuts, scans and syncs its files. */
export class LogRecovery {
  readonly #fileSystem: FileSystem
  readonly #partition: PartitionFound
  readonly #stored: LogCheckpoint | undefined
  readonly flushMode: FlushMode
  #end: LogEnd
  #isDamaged: boolean
  #isBroken = false
  /** The file does not reach `#end`: only a truncation that comes below what is there explains that. */
  #isShort = false
  /** No segment above it counts unless the replay has written it: the one that holds the checkpointed end, or where a truncation cut. */
  #namedSegment: bigint
  #lowestTruncation: bigint | undefined
  /** Where the replay ended in each segment that it wrote. */
  readonly #touched = new Map<bigint, number>()
  #open: { baseOffset: bigint; file: File } | undefined
  #segments: { baseOffset: bigint; sizeBytes: number }[] = []
  /** Files of the directory; undefined when that may have changed since it was read. */
  #names: readonly string[] | undefined

  constructor(
    fileSystem: FileSystem,
    partition: PartitionFound,
    stored: LogCheckpoint | undefined,
  ) {
    const first = partition.identity.firstOffset
    this.#fileSystem = fileSystem
    this.#partition = partition
    this.#stored = stored
    this.#end = stored ?? { endOffset: first, segmentBaseOffset: first, position: 0 }
    this.#namedSegment = this.#end.segmentBaseOffset
    this.#isDamaged = stored?.isDamaged ?? false
    this.flushMode = stored?.flushMode ?? partition.identity.flushMode
    this.#names = partition.fileNames
  }

  markDamaged(): void {
    this.#isDamaged = true
  }

  /** Before the replay, which could hide it: the checkpointed end must be there. */
  async checkEnd(): Promise<void> {
    this.#isShort = !(await this.#reaches(this.#end))
  }

  /** Applies a journal entry, if the checkpoint does not cover it. */
  async apply(entry: RecoveredEntry, lsn: bigint): Promise<void> {
    if (this.#isBroken || lsn <= (this.#stored?.coveredLsn ?? 0n)) return
    if (entry.kind === 'truncate') await this.#truncate(entry)
    // Behind a gap nothing is written: if that is explained, it was cut.
    else if (!this.#isShort) await this.#append(entry)
  }

  /** Writes the batches into their segment even where they are: the cache may hold what the disk does not. */
  async #append(entry: RecoveredEntry): Promise<void> {
    if (entry.baseOffset !== this.#end.endOffset) {
      this.#isBroken = true
      this.#isDamaged = true
      return
    }
    const file = await this.#segmentFile(entry.segmentBaseOffset)
    await file.write([entry.payload], entry.position)
    const position = entry.position + entry.lengthBytes
    this.#touched.set(entry.segmentBaseOffset, position)
    const { nextOffset: endOffset, segmentBaseOffset } = entry
    this.#end = { endOffset, segmentBaseOffset, position }
  }

  async #truncate({ nextOffset, segmentBaseOffset, position }: RecoveredEntry): Promise<void> {
    const end = { endOffset: nextOffset, segmentBaseOffset, position }
    if (this.#isShort) {
      // What was skipped lies between the end that is missed and this one.
      if (nextOffset >= this.#end.endOffset) return
      this.#isShort = !(await this.#reaches(end))
    }
    this.#end = end
    const dropped = [...this.#touched.keys()].filter((base) => base > segmentBaseOffset)
    for (const base of dropped) this.#touched.delete(base)
    this.#touched.set(segmentBaseOffset, position)
    if (segmentBaseOffset < this.#namedSegment) this.#namedSegment = segmentBaseOffset
    const lowest = this.#lowestTruncation ?? nextOffset
    this.#lowestTruncation = nextOffset < lowest ? nextOffset : lowest
  }

  async #reaches({ segmentBaseOffset, position }: LogEnd): Promise<boolean> {
    if (position === 0) return true
    const stat = await this.#fileSystem.stat(this.#pathOf(segmentBaseOffset))
    return (stat?.sizeBytes ?? 0) >= position
  }

  /** Brings the files to what was recovered. Everything is durable when it resolves. */
  async finish(kind: 'new' | 'clean' | 'crash' | 'unknown'): Promise<void> {
    await this.#closeOpen()
    if (this.#isShort) {
      this.#isBroken = true
      this.#isDamaged = true
    }
    if (kind === 'unknown') {
      this.#isDamaged = true
      await this.#rescue()
    } else if (kind === 'crash') {
      await this.#cut()
    } else {
      await this.#removeRetired()
      // The stop came while the log was being made: its identity may not have a durable name yet.
      if (this.#stored === undefined) await this.#fileSystem.syncDirectory(this.#partition.path)
    }
    await this.#listSegments()
    const last = this.#segments.at(-1)
    const reached = last?.baseOffset === this.#end.segmentBaseOffset ? last.sizeBytes : 0
    if (reached < this.#end.position) await this.#shrinkTo(reached)
  }

  result(): RecoveredLog {
    const stored = this.#stored?.logStartOffset ?? this.#partition.identity.firstOffset
    return {
      name: this.#partition.name,
      path: this.#partition.path,
      identity: this.#partition.identity,
      end: this.#end,
      logStartOffset: stored > this.#end.endOffset ? this.#end.endOffset : stored,
      flushMode: this.flushMode,
      segments: this.#segments,
      isDamaged: this.#isDamaged,
    }
  }

  /** After a crash: scans the tail of an unjournaled log, removes what is no segment of it, and cuts at the recovered end. */
  async #cut(): Promise<void> {
    if (this.flushMode !== 'ack' && !this.#isBroken) await this.#extendByScan()
    await this.#removeStrays()
    if (await this.#isAsCheckpointed()) return
    this.#touched.set(this.#end.segmentBaseOffset, this.#end.position)
    for (const [baseOffset, position] of this.#touched) {
      if (baseOffset <= this.#end.segmentBaseOffset) await this.#cutSegment(baseOffset, position)
    }
    await this.#removeDerivedAbove()
    await this.#fileSystem.syncDirectory(this.#partition.path)
  }

  /**
   * The journal held nothing of it, and nothing beyond the checkpointed end lies on the disk: what the checkpoint claims was
   * flushed before it was written, names included, so an idle log costs the start no flush.
   */
  async #isAsCheckpointed(): Promise<boolean> {
    const isIdle =
      this.#stored !== undefined && this.flushMode === 'ack' && this.#touched.size === 0
    if (!isIdle || this.#names === undefined) return false
    const { segmentBaseOffset, position } = this.#end
    const name = segmentFileName(segmentBaseOffset, '.log')
    // Of thousands of logs that nothing was written to, none is worth a look at the disk.
    const stat = this.#names.includes(name)
      ? await this.#fileSystem.stat(this.#pathOf(segmentBaseOffset))
      : undefined
    return (stat?.sizeBytes ?? 0) === position && this.#derivedAbove(this.#names).length === 0
  }

  /** Removes segments that neither checkpoint nor journal names, and those that retention had removed before the power was lost. */
  async #removeStrays(): Promise<void> {
    const named = this.#namedSegment
    const start = this.#stored?.logStartOffset ?? this.#partition.identity.firstOffset
    const last = this.#end.segmentBaseOffset
    // Not the segment that holds the checkpointed end: if this start is interrupted, the next one reads on from there again.
    const kept = named < last ? named : last
    const baseOffsets = await this.#baseOffsets()
    for (const [index, baseOffset] of baseOffsets.entries()) {
      const isNamed = baseOffset <= named || this.#touched.has(baseOffset)
      const next = baseOffsets[index + 1] ?? kept
      const isRetired = baseOffset < kept && (next < kept ? next : kept) <= start
      if (!isNamed || isRetired || baseOffset > last) {
        this.#names = undefined
        await this.#fileSystem.remove(this.#pathOf(baseOffset))
      }
    }
  }

  /** Without a checkpoint: what the segments themselves show, from the first to the last contiguous batch. */
  async #rescue(): Promise<void> {
    const first = (await this.#baseOffsets())[0]
    if (first === undefined) return
    this.#end = { endOffset: first, segmentBaseOffset: first, position: 0 }
    await this.#extendByScan()
    await this.#cut()
  }

  async #extendByScan(): Promise<void> {
    const { end, scanned } = await scanTail(this.#fileSystem, this.#partition.path, {
      from: this.#end,
      baseOffsets: await this.#baseOffsets(),
    })
    this.#end = end
    for (const [baseOffset, position] of scanned) this.#touched.set(baseOffset, position)
  }

  async #cutSegment(baseOffset: bigint, position: number): Promise<void> {
    const path = this.#pathOf(baseOffset)
    const stat = await this.#fileSystem.stat(path)
    if (stat === undefined) return
    const file = await this.#fileSystem.open(path, 'write')
    try {
      if (stat.sizeBytes > position) await file.truncate(position)
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /** After a clean stop: what retention had renamed, and whose time had not come when the process ended. */
  async #removeRetired(): Promise<void> {
    for (const name of this.#partition.fileNames) {
      if (!name.endsWith(deletedSuffix)) continue
      await this.#fileSystem.remove(join(this.#partition.path, name))
    }
  }

  async #removeDerivedAbove(): Promise<void> {
    for (const name of this.#derivedAbove(await this.#listNames())) {
      this.#names = undefined
      await this.#fileSystem.remove(join(this.#partition.path, name))
    }
  }

  /** Snapshots and indexes of what lies above the end or was cut, and what an unfinished change left. */
  #derivedAbove(names: readonly string[]): string[] {
    const { endOffset } = this.#end
    const cut = this.#lowestTruncation ?? endOffset
    const newest = cut < endOffset ? cut : endOffset
    return names.filter((name) => {
      const snapshot = offsetOfFileName(name, '.snapshot')
      const index = offsetOfFileName(name, '.index') ?? offsetOfFileName(name, '.timeindex')
      return (
        (snapshot !== undefined && snapshot > newest) ||
        (index !== undefined && index > this.#end.segmentBaseOffset) ||
        name.endsWith('.tmp') ||
        name.endsWith(deletedSuffix)
      )
    })
  }

  async #listNames(): Promise<readonly string[]> {
    this.#names ??= await this.#fileSystem.list(this.#partition.path)
    return this.#names
  }

  /** The file is shorter than the checkpoint promises: what was acknowledged is gone, and is said to be. */
  async #shrinkTo(reached: number): Promise<void> {
    this.#isDamaged = true
    const base = this.#segments.at(-1)?.baseOffset ?? this.#partition.identity.firstOffset
    const { end } = await scanTail(this.#fileSystem, this.#partition.path, {
      from: { endOffset: base, segmentBaseOffset: base, position: 0 },
      baseOffsets: reached === 0 && this.#segments.length === 0 ? [] : [base],
    })
    this.#end = end
    await this.#cutSegment(base, end.position)
    await this.#removeDerivedAbove()
    await this.#listSegments()
  }

  async #listSegments(): Promise<void> {
    this.#segments = []
    for (const baseOffset of await this.#baseOffsets()) {
      if (baseOffset > this.#end.segmentBaseOffset) continue
      const stat = await this.#fileSystem.stat(this.#pathOf(baseOffset))
      if (stat !== undefined) this.#segments.push({ baseOffset, sizeBytes: stat.sizeBytes })
    }
  }

  async #baseOffsets(): Promise<bigint[]> {
    return (await this.#listNames())
      .map((name) => offsetOfFileName(name, '.log'))
      .filter((offset) => offset !== undefined)
      .sort((a, b) => (a < b ? -1 : 1))
  }

  #pathOf(baseOffset: bigint): string {
    return join(this.#partition.path, segmentFileName(baseOffset, '.log'))
  }

  async #segmentFile(baseOffset: bigint): Promise<File> {
    if (this.#open?.baseOffset === baseOffset) return this.#open.file
    await this.#closeOpen()
    this.#names = undefined
    const file = await this.#fileSystem.open(this.#pathOf(baseOffset), 'write')
    this.#open = { baseOffset, file }
    return file
  }

  async #closeOpen(): Promise<void> {
    await this.#open?.file.close()
    this.#open = undefined
  }
}
