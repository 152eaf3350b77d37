// What a partition derives from its log, on the disk of this machine: after a cut it is what the log itself would tell.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@naru/base'
import { type FlushMode, type Log, LogDirectory, OpenFiles } from '@naru/log'
import { nodeFileSystem, systemClock, systemRandom } from '@naru/platform'
import { encodeBatch, readBatchHeader } from '@naru/records'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PartitionState } from './partition-state.ts'

const config = {
  segmentBytes: 4_000,
  segmentMs: 604_800_000,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 500,
  retentionMs: -1,
  retentionBytes: -1,
  fileDeleteDelayMs: 0,
}

// It flushes a disk that others may use.
vi.setConfig({ testTimeout: 60_000 })

let path: string
const opened: LogDirectory[] = []

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'naru-state-'))
})

afterEach(async () => {
  for (const directory of opened.splice(0)) await directory.close()
  rmSync(path, { recursive: true, force: true })
})

async function open(): Promise<LogDirectory> {
  const size = 64 << 10
  const directory = await LogDirectory.open({
    path,
    fileSystem: nodeFileSystem,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    openFiles: new OpenFiles(nodeFileSystem, 100),
    journal: { fileCount: 3, fileBytes: size, fileBytesMax: size, fileCountMax: 3 },
    configOf: () => config,
    onOffline: (error) => {
      throw error
    },
  })
  opened.push(directory)
  return directory
}

/** One record of producer 1 to 3, in an epoch that rises every ten offsets. */
function append(log: Log, state: PartitionState): void {
  const offset = Number(log.logEndOffset)
  const records = [{ key: null, value: Buffer.alloc(200, offset), headers: [], timestamp: 1n }]
  const batch = encodeBatch(records, {
    baseOffset: log.logEndOffset,
    leaderEpoch: Math.floor(offset / 10),
    producerId: BigInt(1 + (offset % 3)),
    producerEpoch: 0,
    baseSequence: Math.floor(offset / 3),
  })
  const header = readBatchHeader(batch)
  log.append(batch, header)
  state.replay(header)
}

async function confirmed(log: Log): Promise<void> {
  if (log.confirmedOffset === log.logEndOffset) return
  await new Promise<void>((resolve) => {
    log.onConfirmed = () => {
      if (log.confirmedOffset === log.logEndOffset) resolve()
    }
  })
}

/** What the whole log tells, batch by batch. */
async function rebuilt(log: Log): Promise<PartitionState> {
  const state = new PartitionState()
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const bytes = await log.read({ offset, maxBytes: 1, upTo: log.logEndOffset, atLeastOne: true })
    const header = readBatchHeader(bytes)
    state.replay(header)
    offset = header.lastOffset + 1n
  }
  return state
}

/** Of each producer the newest batch: a snapshot has no more, as Kafka's. */
function contentOf(state: PartitionState): unknown {
  const producers = [...state.producers.entries()].map(({ producerId, epoch, batches }) => ({
    producerId,
    epoch,
    newest: batches.at(-1),
  }))
  producers.sort((a, b) => Number(a.producerId - b.producerId))
  return { producers, epochs: state.epochs.entries }
}

async function logWith(
  directory: LogDirectory,
  flushMode: FlushMode,
): Promise<[Log, PartitionState]> {
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
  const log = await directory.createLog({
    name: 'a-0',
    topicId,
    firstOffset: 0n,
    flushMode,
    config,
  })
  const state = new PartitionState()
  await directory.load(log, state)
  for (let i = 0; i < 60; i++) append(log, state)
  await confirmed(log)
  return [log, state]
}

describe.each(['ack', 'async', 'never'] as const)('a log of mode %s', (flushMode) => {
  it.each([57n, 33n])('cut at %i has the producers and epochs of what remains', async (end) => {
    const directory = await open()
    const [log, state] = await logWith(directory, flushMode)
    expect(log.segments.length).toBeGreaterThan(3)
    // What a leader notes when it begins, before anything is written.
    state.epochs.assign(9, log.logEndOffset)
    expect(await directory.truncate(log, end)).toBe(end)
    expect(contentOf(state)).toEqual(contentOf(await rebuilt(log)))
    for (let i = 0; i < 20; i++) append(log, state)
    await confirmed(log)
    expect(contentOf(state)).toEqual(contentOf(await rebuilt(log)))
    await directory.close()
    const again = (await open()).logs.get('a-0') as Log
    const loaded = new PartitionState()
    await opened.at(-1)?.load(again, loaded)
    expect(again.logEndOffset).toBe(end + 20n)
    expect(contentOf(loaded)).toEqual(contentOf(await rebuilt(again)))
  })

  it('that begins anew has none of them', async () => {
    const directory = await open()
    const [log, state] = await logWith(directory, flushMode)
    await directory.restartAt(log, 500n)
    expect(contentOf(state)).toEqual(contentOf(new PartitionState()))
    for (let i = 0; i < 20; i++) append(log, state)
    await confirmed(log)
    await directory.close()
    const again = (await open()).logs.get('a-0') as Log
    const loaded = new PartitionState()
    await opened.at(-1)?.load(again, loaded)
    expect([again.logStartOffset, again.logEndOffset]).toEqual([500n, 520n])
    expect(contentOf(loaded)).toEqual(contentOf(await rebuilt(again)))
  })
})

it('a log with nothing above the new end forgets an epoch that began there all the same', async () => {
  const directory = await open()
  const [log, state] = await logWith(directory, 'ack')
  state.epochs.assign(9, log.logEndOffset)
  expect(await directory.truncate(log, 60n)).toBe(60n)
  expect(state.epochs.latest).toBe(5)
})
