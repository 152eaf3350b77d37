/** The rules of the journal (docs/JOURNAL.md), each taken away in turn. */
import type { Mutation } from './mutation.ts'

const log = (name: string) => `packages/log/src/${name}.ts`

export const logMutations: readonly Mutation[] = [
  {
    rule: 'an acknowledgement waits for the journal',
    file: log('group-commit'),
    from: '    if (journaled.length > 0) waits.push(journal.write(journaled))\n',
    to: '    if (journaled.length > 0) journal.write(journaled).catch(() => {})\n',
  },
  {
    rule: 'an acknowledgement waits for all earlier rounds',
    file: log('group-commit'),
    from: '    while (this.#rounds[0]?.isWritten === true) {\n      const round = this.#rounds.shift() as Round\n',
    to: '    for (let at = this.#rounds.findIndex((each) => each.isWritten); at >= 0; at = this.#rounds.findIndex((each) => each.isWritten)) {\n      const round = this.#rounds.splice(at, 1)[0] as Round\n',
  },
  {
    rule: 'the checksum of a round covers its header and table',
    file: log('journal-round'),
    from: '  if (tableChecksum(round, entryCount) !== round.readUInt32LE(crcAt)) return undefined\n',
    to: '',
    shownBy: 'packages/log/src/journal-round.test.ts',
  },
  {
    rule: 'a round counts only if all of its payloads are whole',
    file: log('journal-round'),
    from: '    if (entry === undefined || !holdsBatches(entry)) return undefined\n',
    to: '    if (entry === undefined) return undefined\n',
  },
  {
    rule: 'each start begins a run of its own',
    file: log('log-directory'),
    from: '    const runId = random.bytes(16)\n',
    to: '    const runId = Buffer.alloc(16, random.bytes(16).length)\n',
  },
  {
    rule: 'rounds are read in their order',
    file: log('journal-chain'),
    from: '    if (header === undefined || header.lsn !== lsn) return undefined\n',
    to: '    if (header === undefined || header.lsn < lsn) return undefined\n',
  },
  {
    rule: 'a log has a durable identity before its first append',
    file: log('log-creation'),
    from: '  await fileSystem.syncDirectory(parent)\n',
    to: '',
  },
  {
    rule: 'a flush reaches sealed segments too',
    file: log('flusher'),
    from: '    for (const segment of dirt.segments) await this.#syncSegment(segment)\n',
    to: '    for (const segment of [...dirt.segments].slice(-1)) await this.#syncSegment(segment)\n',
  },
  {
    rule: 'a flush makes the name of a new segment durable',
    file: log('flusher'),
    from: '    await this.#storage.fileSystem.syncDirectory(dirname(segment.path))\n',
    to: '    void dirname\n',
  },
  {
    rule: 'a flush syncs what it claims',
    file: log('flusher'),
    from: '      await lease.file.datasync()\n',
    to: '',
  },
  {
    rule: 'a checkpoint is synced before it is renamed',
    file: log('atomic-file'),
    from: '    await file.datasync()\n',
    to: '',
  },
  {
    rule: 'a checkpoint is durable when it is relied on',
    file: log('atomic-file'),
    from: '  await fileSystem.syncDirectory(dirname(path))\n',
    to: '  void dirname\n',
  },
  {
    rule: 'a checkpoint has the starts of the logs',
    file: log('log-directory'),
    from: '      logStartOffset: log.logStartOffset,\n',
    to: '      logStartOffset: 0n,\n',
  },
  {
    rule: 'a journal file is used again only when a durable checkpoint needs nothing of it',
    file: log('log-directory'),
    from: '        await replaceFile(this.#options.fileSystem, join(this.path, checkpointName), content)\n        this.#journal.release(first)\n',
    to: '        this.#journal.release(first)\n        await replaceFile(this.#options.fileSystem, join(this.path, checkpointName), content)\n',
  },
  {
    rule: 'a checkpoint begins at the first round that is not flushed',
    file: log('log-directory'),
    from: '        const first = this.#journal.placeOf(this.#flusher.firstNeededLsn)\n',
    to: '        const first = this.#journal.placeOf(this.#rounds.completedLsn + 1n)\n',
  },
  {
    rule: 'a segment is removed after the checkpoint that does without it',
    file: log('log-directory'),
    from: '      await this.checkpoint()\n      for (const segment of log.dropSegmentsBelowStart(segmentBaseOffset)) {\n',
    to: '      for (const segment of log.dropSegmentsBelowStart(segmentBaseOffset)) {\n',
  },
  {
    rule: 'a change of the flush mode flushes first',
    file: log('log-directory'),
    from: '        await this.#flusher.flush(log)\n        log.flushMode = mode\n',
    to: '        log.flushMode = mode\n',
  },
  {
    rule: 'when nothing comes, a witness follows the last round',
    file: log('group-commit'),
    from: '      else this.#writeWitness()\n',
    to: '',
    shownBy: 'packages/simulator/src/log-faults.test.ts',
  },
  {
    rule: 'a start makes the checkpoint that it read durable',
    file: log('recovery'),
    from: '  await handle.datasync().finally(() => handle.close())\n  await fileSystem.syncDirectory(path)\n',
    to: '  await handle.close()\n',
  },
  {
    rule: 'a start tells a lost round from a torn one by its witness',
    file: log('journal-chain'),
    from: '    const isCorrupt = start.durableLsn >= expected.lsn || (await hasWitness(files, expected.lsn))\n',
    to: '    const isCorrupt = false && (await hasWitness(files, start.durableLsn))\n',
    shownBy: 'packages/simulator/src/log-faults.test.ts',
  },
  {
    rule: 'a start applies only what the checkpoint does not cover',
    file: log('log-recovery'),
    from: '    if (this.#isBroken || lsn <= (this.#stored?.coveredLsn ?? 0n)) return\n',
    to: '    if (this.#isBroken || lsn < 0n) return\n',
  },
  {
    rule: 'a start writes the batches of the journal into the segments',
    file: log('log-recovery'),
    from: '    await file.write([entry.payload], entry.position)\n',
    to: '',
  },
  {
    rule: 'a start cuts segments where they end',
    file: log('log-recovery'),
    from: '      if (stat.sizeBytes > position) await file.truncate(position)\n',
    to: '',
  },
  {
    rule: 'a start syncs the segments that it has written',
    file: log('log-recovery'),
    from: '      await file.datasync()\n',
    to: '',
  },
  {
    rule: 'a start removes segments that nothing names',
    file: log('log-recovery'),
    from: '      if (!isNamed || isRetired || baseOffset > last) {\n',
    to: '      if (isRetired) {\n',
  },
  {
    rule: 'a start looks for the end of logs that are not in the journal',
    file: log('log-recovery'),
    from: "    if (this.flushMode !== 'ack' && !this.#isBroken) await this.#extendByScan()\n",
    to: '',
  },
  {
    rule: 'a start stores its own checkpoint before its first round',
    file: log('recovery'),
    from: '  await storeCheckpoint(options, recovered)\n',
    to: '  void storeCheckpoint(options, recovered)\n',
  },
  {
    rule: 'an error of the disk takes the directory offline',
    file: log('log-directory'),
    from: '    this.#rounds.stop()\n    this.#storage.stop()\n    this.#options.onOffline(this.#offline)\n',
    to: '',
    shownBy: 'packages/simulator/src/log-faults.test.ts',
  },
]
