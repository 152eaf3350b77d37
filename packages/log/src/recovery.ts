/**
 * The start of a log directory: the same algorithm after a clean stop, a process crash and a power loss, and safe to be
 * interrupted and run again at any step. What the journal holds is written into the segments anew even where they look right,
 * because the page cache may hold what the disk does not.
 */
import type { FileSystem, Logger } from '@naru/base'
import { readFileIfPresent, replaceFile } from './atomic-file.ts'
import {
  checkpointName,
  type DirectoryCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type FlushMode,
  type LogCheckpoint,
} from './checkpoint.ts'
import { readChain } from './journal-chain.ts'
import { listJournalFiles } from './journal-files.ts'
import type { RecoveredEntry } from './journal-round.ts'
import { LogRecovery, type RecoveredLog } from './log-recovery.ts'
import { forEachParallel } from './parallel.ts'
import { listPartitions, type PartitionFound } from './partition-directories.ts'
import { join } from './paths.ts'

const parallelLogs = 16

export interface RecoveredDirectory {
  readonly logs: readonly RecoveredLog[]
  /** What the start had to do, for the log. */
  readonly kind: 'new' | 'clean' | 'crash' | 'unknown'
  /** The process before had logs that are not here any more: they were deleted just then, or are lost. */
  readonly lacksLogs: boolean
}

export interface RecoveryOptions {
  readonly fileSystem: FileSystem
  readonly path: string
  readonly journalPath: string
  /** Of the run that begins. */
  readonly runId: Buffer
  readonly logger: Logger
}

export async function recoverDirectory(options: RecoveryOptions): Promise<RecoveredDirectory> {
  const { fileSystem, path, journalPath, logger } = options
  const checkpoint = await readCheckpoint(fileSystem, path)
  const { found: partitions, aside, deleted } = await listPartitions(fileSystem, path, logger)
  const logs = new Map<string, LogRecovery>()
  const known = new Map(checkpoint?.logs.map((log) => [log.logId.toString('hex'), log]))
  for (const partition of partitions) {
    const stored = known.get(partition.identity.logId)
    logs.set(partition.identity.logId, new LogRecovery(fileSystem, partition, stored))
  }
  const kind = await kindOfStart(fileSystem, { checkpoint, journalPath, partitions })
  const all = [...logs.values()]
  if (kind === 'crash') {
    await forEachParallel(all, parallelLogs, (log) => log.checkEnd())
    await replayJournal(options, checkpoint as DirectoryCheckpoint, logs)
  }
  await forEachParallel(all, parallelLogs, (log) => log.finish(kind))
  const recovered = all.map((log) => log.result())
  await storeCheckpoint(options, recovered)
  // Not before: should this start be interrupted, the next one would miss them.
  await forEachParallel(deleted, parallelLogs, (directory) => fileSystem.removeDirectory(directory))
  const isLacking = (logId: string) => !logs.has(logId) && !aside.has(logId)
  const lacksLogs = kind === 'unknown' || [...known.keys()].some(isLacking)
  return { logs: recovered, kind, lacksLogs }
}

async function readCheckpoint(
  fileSystem: FileSystem,
  path: string,
): Promise<DirectoryCheckpoint | undefined> {
  const file = join(path, checkpointName)
  const bytes = await readFileIfPresent(fileSystem, file)
  if (bytes === undefined) return undefined
  return decodeCheckpoint(bytes)
}

async function kindOfStart(
  fileSystem: FileSystem,
  state: {
    checkpoint: DirectoryCheckpoint | undefined
    journalPath: string
    partitions: readonly PartitionFound[]
  },
): Promise<RecoveredDirectory['kind']> {
  if (state.checkpoint !== undefined) return state.checkpoint.isClean ? 'clean' : 'crash'
  const journalFiles = await listJournalFiles(fileSystem, state.journalPath)
  return journalFiles.length === 0 && state.partitions.length === 0 ? 'new' : 'unknown'
}

async function replayJournal(
  { fileSystem, journalPath, logger }: RecoveryOptions,
  checkpoint: DirectoryCheckpoint,
  logs: Map<string, LogRecovery>,
): Promise<void> {
  const apply = async (entry: RecoveredEntry, lsn: bigint) => {
    await logs.get(entry.logId.toString('hex'))?.apply(entry, lsn)
  }
  const end = await readChain(fileSystem, journalPath, checkpoint, apply)
  logger.info('journal-replayed', {
    from: checkpoint.first.lsn,
    to: end.missingLsn - 1n,
    isCorrupt: end.isCorrupt,
  })
  if (!end.isCorrupt) return
  // Any journaled log may have been in the round that is gone.
  for (const log of logs.values()) if (log.flushMode === 'ack') log.markDamaged()
}

/** The checkpoint of the run that begins, durable before its first round. */
async function storeCheckpoint(
  { fileSystem, path, runId }: RecoveryOptions,
  recovered: readonly RecoveredLog[],
): Promise<void> {
  const logs: LogCheckpoint[] = recovered.map((log) => ({
    logId: Buffer.from(log.identity.logId, 'hex'),
    ...log.end,
    coveredLsn: 0n,
    logStartOffset: log.logStartOffset,
    flushMode: log.flushMode,
    isDamaged: log.isDamaged,
  }))
  const first = { lsn: 1n, fileNumber: 0, position: 0 }
  await replaceFile(
    fileSystem,
    join(path, checkpointName),
    encodeCheckpoint({ runId, first, durableLsn: 0n, isClean: false, logs }),
  )
}

export type { FlushMode }
