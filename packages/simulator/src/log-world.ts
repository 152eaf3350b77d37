/** A log directory on a simulated disk, with a memory of everything that was appended and acknowledged. */
import { silentLogger } from '@naru/base'
import { type FlushMode, type Log, LogDirectory, OpenFiles } from '@naru/log'
import { batchesOf, encodeBatch, readBatchHeader, recordsOf } from '@naru/records'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const config = {
  segmentBytes: 6_000,
  segmentMs: 604_800_000,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 500,
  retentionMs: -1,
  retentionBytes: -1,
  fileDeleteDelayMs: 50,
}
/** Small, so that files are used again and again. */
const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }

/** What a log must hold: the value of each record by offset, and how far it was acknowledged. */
interface Ledger {
  readonly values: string[]
  acknowledged: number
  start: number
}

export class LogWorld {
  readonly random: SeededRandom
  readonly clock = new SimulatedClock()
  readonly disk: SimulatedDisk
  readonly ledgers = new Map<string, Ledger>()
  readonly modes: Readonly<Record<string, FlushMode>>
  directory!: LogDirectory
  offline: Error | undefined
  #serial = 0

  constructor(seed: number, modes: Readonly<Record<string, FlushMode>>) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedDisk(this.clock, this.random.split())
    this.modes = modes
  }

  /** Starts the directory anew, as a process would after whatever happened before. */
  async open(): Promise<void> {
    this.offline = undefined
    await this.clock.drive(this.disk.makeDirectory('/data'))
    await this.clock.drive(this.disk.syncDirectory('/'))
    this.directory = await this.clock.drive(this.begin())
    for (const name of this.directory.logs.keys()) await this.openLog(name)
  }

  /** Begins a start that somebody else drives: it may be interrupted, and then never ends. */
  begin(): Promise<LogDirectory> {
    return LogDirectory.open({
      path: '/data',
      fileSystem: this.disk,
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      openFiles: new OpenFiles(this.disk, 100),
      journal,
      configOf: () => config,
      onOffline: (error) => {
        this.offline = error
      },
    })
  }

  /** Makes the log when there is none yet. */
  async openLog(name: string): Promise<void> {
    const flushMode = this.modes[name] as FlushMode
    const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
    const log =
      this.directory.logs.get(name) ??
      (await this.clock.drive(
        this.directory.createLog({ name, topicId, firstOffset: 0n, flushMode, config }),
      ))
    await this.clock.drive(this.directory.load(log, noDerivedState()))
    const ledger = this.ledgers.get(name) ?? { values: [], acknowledged: 0, start: 0 }
    this.ledgers.set(name, ledger)
    log.onConfirmed = () => {
      ledger.acknowledged = Math.max(ledger.acknowledged, Number(log.confirmedOffset))
    }
  }

  log(name: string): Log {
    return this.directory.logs.get(name) as Log
  }

  /** Appends a batch of a few records, noted in the ledger. */
  append(name: string): void {
    const log = this.log(name)
    const ledger = this.ledgers.get(name) as Ledger
    const timestamp = BigInt(this.clock.now())
    const records = Array.from({ length: 1 + this.random.below(3) }, () => {
      const value = `${this.#serial++}:${'x'.repeat(this.random.below(600))}`
      ledger.values.push(value)
      return { key: null, value: Buffer.from(value), headers: [], timestamp }
    })
    const batch = encodeBatch(records, { baseOffset: log.logEndOffset, leaderEpoch: 0 })
    log.append(batch, readBatchHeader(batch), this.clock.now())
  }

  async moveStart(name: string): Promise<void> {
    const log = this.log(name)
    const ledger = this.ledgers.get(name) as Ledger
    const offset = BigInt(this.random.below(Number(log.confirmedOffset) + 1))
    await this.clock.drive(this.directory.moveStart(log, offset))
    ledger.start = Math.max(ledger.start, Number(offset))
  }

  /** What retention does when every record is too old: closes the active segment and moves the start to the end. */
  async expireAll(name: string): Promise<void> {
    const log = this.log(name)
    if (log.confirmedOffset !== log.logEndOffset) return
    log.roll()
    const ledger = this.ledgers.get(name) as Ledger
    ledger.start = Number(log.logEndOffset)
    await this.clock.drive(this.directory.moveStart(log, log.logEndOffset))
  }

  /** A second and more in which nobody appends: the directory flushes and makes a checkpoint. */
  async quiet(): Promise<void> {
    await this.clock.drive(this.clock.pause(1_500))
  }

  /** Everything that happens in the next `count` events. */
  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) if (!(await this.clock.step())) return
  }

  /**
   * Compares every log with its ledger: acknowledged records are there, unchanged and in place; nothing is there that was not
   * appended. What was appended and is gone is taken out of the ledger. `isLossy`: the power was lost, so that logs that do not
   * wait for the disk may have lost acknowledged records too.
   */
  async audit({ isLossy }: { isLossy: boolean }): Promise<string[]> {
    const problems: string[] = []
    for (const [name, ledger] of this.ledgers) {
      const log = this.directory.logs.get(name)
      if (log === undefined) {
        problems.push(`${name}: is gone`)
        continue
      }
      const stored = await this.clock.drive(readAll(log))
      const end = Number(log.logEndOffset)
      const mayLose = isLossy && this.modes[name] !== 'ack'
      if (!mayLose && end < ledger.acknowledged) {
        problems.push(`${name}: ends at ${end}, acknowledged to ${ledger.acknowledged}`)
      }
      if (log.isDamaged && !mayLose) problems.push(`${name}: reported as damaged`)
      if (Number(log.logStartOffset) < ledger.start) {
        problems.push(`${name}: starts at ${log.logStartOffset}, moved to ${ledger.start}`)
      }
      for (const [offset, value] of stored) {
        if (ledger.values[offset] !== value) problems.push(`${name}: wrong record at ${offset}`)
      }
      const expected = Math.max(0, end - Number(log.logStartOffset))
      if (stored.size !== expected) problems.push(`${name}: ${stored.size} of ${expected} records`)
      ledger.values.length = end
      ledger.acknowledged = Math.min(ledger.acknowledged, end)
    }
    return problems
  }
}

async function readAll(log: Log): Promise<Map<number, string>> {
  const values = new Map<number, string>()
  let offset = log.logStartOffset
  while (offset < log.confirmedOffset) {
    const upTo = log.confirmedOffset
    const bytes = await log.read({ offset, maxBytes: 4_000, upTo, atLeastOne: true })
    if (bytes.length === 0) break
    for (const batch of batchesOf(bytes)) {
      const header = readBatchHeader(batch)
      for (const record of recordsOf(batch, header)) {
        if (record.offset >= log.logStartOffset)
          values.set(Number(record.offset), String(record.value))
      }
      offset = header.lastOffset + 1n
    }
  }
  return values
}

function noDerivedState() {
  const nothing = Buffer.alloc(0)
  return {
    restore: () => true,
    replay() {},
    capture: () => ({ producers: nothing, epochs: nothing }),
  }
}
