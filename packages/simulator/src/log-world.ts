/** A log directory on a simulated disk, with a memory of everything that was appended and promised. */
import { silentLogger } from '@naru/base'
import {
  type DirtyBytesMax,
  type FlushMode,
  type JournalSize,
  type Log,
  LogDirectory,
  LogDirectoryError,
  OpenFiles,
} from '@naru/log'
import { encodeBatch, readBatchHeader } from '@naru/records'
import { inspectDerived, inspectLog, valuesIn } from './log-audit.ts'
import { LogLedger } from './log-ledger.ts'
import { NewestBatches } from './newest-batches.ts'
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
const flushModes: readonly FlushMode[] = ['ack', 'async', 'never']
const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** What the disk was made to do explains that much. */
export type Excuse = 'nothing' | 'reported loss' | 'flagged loss' | 'any loss'

interface Sizes {
  readonly journal: JournalSize
  readonly dirtyBytesMax: DirtyBytesMax
}

interface AppendedBatch {
  /** Of each record, at most. */
  readonly valueBytes?: number
  readonly timestampMs?: number
}

export class LogWorld {
  readonly random: SeededRandom
  readonly clock = new SimulatedClock()
  readonly disk: SimulatedDisk
  /** Of the logs that there are, or may be: those that are being made or deleted too. */
  readonly ledgers = new Map<string, LogLedger>()
  directory!: LogDirectory
  offline: Error | undefined
  /** Faults are put into the disk: the directory may go offline. */
  mayFail = false
  readonly #sizes: Sizes
  readonly #derived = new Map<string, NewestBatches>()
  readonly #problems: string[] = []
  readonly #underWay = new Set<Promise<void>>()
  #hasLostPower = false
  #serial = 0

  constructor(seed: number, sizes: Partial<Sizes> = {}) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedDisk(this.clock, this.random.split())
    this.#sizes = { ...randomSizes(this.random), ...sizes }
  }

  /** Starts the directory anew, as a process would after whatever happened before. */
  async open(): Promise<void> {
    this.offline = undefined
    await this.clock.drive(this.disk.makeDirectory('/data'))
    await this.clock.drive(this.disk.syncDirectory('/'))
    this.directory = await this.clock.drive(this.#open())
    for (const [name, log] of [...this.directory.logs]) await this.#takeOver(name, log)
    for (const [name, ledger] of [...this.ledgers]) {
      const isThere = this.directory.logs.has(name)
      if (!isThere && ledger.state !== 'live') this.ledgers.delete(name)
    }
  }

  /** Begins a start that is going to be interrupted. It must fail when an operation fails. */
  beginStart(): void {
    this.#begin('start', async () => {
      const hasStarted = await this.#open().then(
        () => true,
        (error: unknown) => {
          if (this.disk.failures.length === 0) throw error
          return false
        },
      )
      if (hasStarted && this.disk.failures.length > 0) {
        throw new Error(`in spite of ${this.disk.failures}`)
      }
    })
  }

  /** The process dies. */
  crash(): void {
    this.disk.crash()
    this.#underWay.clear()
  }

  losePower(): void {
    this.disk.losePower()
    this.#underWay.clear()
    this.#hasLostPower = true
  }

  /** Ends the process as it should end. What it has confirmed is on the disk then, whatever the flush mode. */
  async close(): Promise<void> {
    const { logs } = this.directory
    await this.clock.drive(this.directory.close())
    for (const [name, log] of logs) {
      this.ledgers.get(name)?.confirm(Number(log.confirmedOffset), 'ack')
    }
  }

  /** Begins to end the process as it should end. */
  beginClose(): void {
    this.#begin('stop', () => this.directory.close())
  }

  log(name: string): Log {
    return this.directory.logs.get(name) as Log
  }

  /** Whether the log can be used now. */
  isLive(name: string): boolean {
    return this.ledgers.get(name)?.state === 'live' && this.log(name).isLoaded
  }

  isJournaled(name: string): boolean {
    return this.log(name).flushMode === 'ack'
  }

  /** Begins to make a log. */
  create(
    name: string,
    flushMode = this.random.pick(flushModes),
    first = this.random.pick([0, this.random.below(1_000)]),
  ): void {
    const ledger = new LogLedger(first)
    this.ledgers.set(name, ledger)
    this.#begin(`creation of ${name}`, async () => {
      const firstOffset = BigInt(first)
      const request = { name, topicId, firstOffset, flushMode, config }
      const log = await this.directory.createLog(request)
      ledger.logId = log.logId.toString('hex')
      await this.#follow(name, log, ledger)
      ledger.state = 'live'
    })
  }

  /** Begins to delete a log. */
  delete(name: string): void {
    const ledger = this.#ledger(name)
    ledger.state = 'deleting'
    this.#begin(`deletion of ${name}`, async () => {
      await this.directory.deleteLog(this.log(name))
      this.ledgers.delete(name)
    })
  }

  /** Appends a batch of a few records, noted in the ledger. */
  append(
    name: string,
    { valueBytes = 600, timestampMs = this.clock.now() }: AppendedBatch = {},
  ): void {
    const log = this.log(name)
    if (log.isTruncating) return
    const ledger = this.#ledger(name)
    const timestamp = BigInt(timestampMs)
    const serial = ++this.#serial
    const values = Array.from(
      { length: 1 + this.random.below(3) },
      (_, index) => `${serial}/${index}:${'x'.repeat(this.random.below(valueBytes))}`,
    )
    ledger.append(serial, values)
    if (this.random.chance(0.05)) ledger.leaderEpoch++
    const batch = encodeBatch(
      values.map((value) => ({ key: null, value: Buffer.from(value), headers: [], timestamp })),
      { baseOffset: log.logEndOffset, leaderEpoch: ledger.leaderEpoch, baseSequence: serial },
    )
    const header = readBatchHeader(batch)
    log.append(batch, header)
    this.#derived.get(name)?.replay(header)
  }

  /** Begins to move the start of a log up, to a random offset if none is given. */
  moveStart(name: string, to = this.#someOffset(name)): void {
    const ledger = this.#ledger(name)
    if (ledger.cutTo !== undefined) return
    ledger.startMoves(to)
    this.#begin(`move of the start of ${name} to ${to}`, async () => {
      await this.directory.moveStart(this.log(name), BigInt(to))
      ledger.startMoved(to)
    })
  }

  /** Begins what retention does when every record is too old: closes the active segment and moves the start to the end. */
  expireAll(name: string): void {
    const log = this.log(name)
    if (log.confirmedOffset !== log.logEndOffset || log.isTruncating) return
    log.roll()
    this.moveStart(name, Number(log.logEndOffset))
  }

  /** Begins to cut the end of a log, at a random offset if none is given. */
  truncate(name: string, to = this.#someEnd(name)): void {
    const log = this.log(name)
    const ledger = this.#ledger(name)
    if (ledger.cutTo !== undefined || ledger.start !== ledger.startMax) return
    const boundary = ledger.boundaryAt(to)
    const { cuts } = log
    ledger.cutBegins(boundary)
    this.#begin(`truncation of ${name} to ${to}`, async () => {
      const end = Number(await this.directory.truncate(log, BigInt(to)))
      if (ledger.state !== 'live') return
      if (end !== boundary) throw new Error(`it ends at ${end}, not ${boundary}`)
      if (ledger.restartTo !== undefined) ledger.restarted(log.logId.toString('hex'))
      else ledger.cutDone({ hasCut: log.cuts > cuts })
      this.#afterCut(name, log, ledger)
    })
  }

  /** Begins to empty a log that is to begin at another offset. */
  restart(name: string, at: number): void {
    const log = this.log(name)
    const ledger = this.#ledger(name)
    if (ledger.cutTo !== undefined || ledger.start !== ledger.startMax) return
    ledger.restartBegins(at)
    this.#begin(`restart of ${name} at ${at}`, async () => {
      await this.directory.restartAt(log, BigInt(at))
      if (ledger.state !== 'live') return
      ledger.restarted(log.logId.toString('hex'))
      this.#afterCut(name, log, ledger)
    })
  }

  /** What is there at once, without a start. */
  #afterCut(name: string, log: Log, ledger: LogLedger): void {
    if (this.random.chance(0.5)) ledger.leaderEpoch++
    const ends = [log.confirmedOffset, log.logEndOffset, log.writtenEnd.endOffset].map(Number)
    if (ends.some((end) => end !== ledger.end)) throw new Error(`it ends at ${ends}`)
    const problems = inspectDerived(log, ledger, this.#derived.get(name) as NewestBatches)
    this.#problems.push(...problems.map((problem) => `${name}: ${problem}`))
  }

  /** Begins a change of the flush mode. */
  switchMode(name: string): void {
    const log = this.log(name)
    const ledger = this.#ledger(name)
    if (ledger.isSwitching) return
    ledger.isSwitching = true
    const mode = this.random.pick(flushModes.filter((each) => each !== log.flushMode))
    this.#begin(`change of ${name} to ${mode}`, async () => {
      await this.directory.setFlushMode(log, mode)
      ledger.isSwitching = false
      ledger.confirm(Number(log.confirmedOffset), mode)
    })
  }

  checkpoint(): void {
    this.#begin('checkpoint', () => this.directory.checkpoint())
  }

  /** Begins to read, from a random offset if none is given. */
  read(name: string, offset = this.#someOffset(name)): void {
    const log = this.log(name)
    const ledger = this.#ledger(name)
    const upTo = log.confirmedOffset
    if (BigInt(offset) === upTo) return
    const maxBytes = 1 + this.random.below(3_000)
    const { cuts, isTruncating } = log
    this.#begin(`read of ${name} at ${offset}`, async () => {
      const bytes = await log.read({ offset: BigInt(offset), maxBytes, upTo, atLeastOne: true })
      if (ledger.state !== 'live' || log.logStartOffset > BigInt(offset)) return
      const values = valuesIn(bytes)
      if (values.size === 0 && (isTruncating || log.cuts > cuts)) return
      if (!values.has(offset)) throw new Error('the record is not there')
      for (const [at, value] of values) {
        if (ledger.valueAt(at) !== value) throw new Error(`wrong record at ${at}`)
      }
    })
  }

  /** Seconds in which nobody appends: the directory flushes and makes a checkpoint. */
  async quiet(): Promise<void> {
    await this.clock.drive(this.clock.pause(2_500))
  }

  /** Everything that happens in the next `count` events. */
  async run(count: number): Promise<void> {
    await this.clock.settle()
    for (let i = 0; i < count; i++) if (!(await this.clock.step())) return
  }

  /** Lets things happen until `condition` holds. */
  async until(condition: () => boolean, stepsMax = 5_000): Promise<void> {
    for (let i = 0; i < stepsMax && !condition(); i++) await this.clock.step()
    if (!condition()) throw new Error(`It did not come about in ${stepsMax} steps`)
  }

  /** Lets things happen until everything that was appended is confirmed. */
  async confirmed(): Promise<void> {
    const logs = [...this.directory.logs.values()]
    await this.until(() => logs.every((log) => log.confirmedOffset === log.logEndOffset))
  }

  /** Waits for everything that was begun. */
  async settle(): Promise<void> {
    await this.clock.drive(Promise.all(this.#underWay))
  }

  /**
   * After a start: compares every log with its ledger. Promised records are there, unchanged and in place; nothing is there that
   * was not appended. What is there from now on is what was found.
   */
  async audit(excuseOf: (name: string) => Excuse = () => 'nothing'): Promise<string[]> {
    const problems = this.#problems.splice(0)
    for (const [name, ledger] of this.ledgers) {
      const found = await this.#inspect(name, ledger, excuseOf(name))
      problems.push(...found.map((problem) => `${name}: ${problem}`))
    }
    this.#hasLostPower = false
    return problems
  }

  async #inspect(name: string, ledger: LogLedger, excuse: Excuse): Promise<string[]> {
    const log = this.directory.logs.get(name)
    if (log === undefined) return excuse === 'any loss' ? [] : ['is gone']
    if (excuse === 'flagged loss' && !log.isDamaged) return ['is not said to be damaged']
    if (!log.isLoaded) return excuse === 'nothing' ? ['cannot be loaded'] : []
    const needed = ledger.needed({ hasLostPower: this.#hasLostPower })
    const isMoved = ledger.start === ledger.startMax && this.directory.start.kind === 'crash'
    const { wrong, missing, isReported } = await this.clock.drive(inspectLog(log, ledger, needed))
    const { mayBeBelowStart } = ledger
    ledger.adopt({ start: Number(log.logStartOffset), end: Number(log.logEndOffset) })
    if (excuse === 'any loss' || (excuse !== 'nothing' && isReported)) return [...wrong]
    const found = [...wrong, ...missing]
    // One may stay: that of the checkpointed end.
    const third = log.segments[2]
    if (isMoved && third !== undefined && third.baseOffset <= log.logStartOffset) {
      found.push(`keeps segment ${log.segments[0]?.baseOffset} below its start`)
    }
    if (excuse !== 'nothing') return found
    if (log.isDamaged && mayBeBelowStart) await this.#told(log)
    else if (isReported) found.push('reported as damaged')
    return found.concat(inspectDerived(log, ledger, this.#derived.get(name) as NewestBatches))
  }

  /** As a broker does when its controller knows. */
  async #told(log: Log): Promise<void> {
    log.isDamaged = false
    await this.clock.drive(this.directory.checkpoint())
  }

  #open(): Promise<LogDirectory> {
    return LogDirectory.open({
      path: '/data',
      fileSystem: this.disk,
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      openFiles: new OpenFiles(this.disk, 100),
      ...this.#sizes,
      configOf: () => config,
      onOffline: (error) => {
        this.offline = error
        if (!this.mayFail) this.#problems.push(error.message)
      },
    })
  }

  async #takeOver(name: string, log: Log): Promise<void> {
    const ledger = this.ledgers.get(name)
    if (ledger === undefined) {
      this.#problems.push(`${name}: is there although it was deleted`)
      await this.clock.drive(this.directory.deleteLog(log))
      return
    }
    const logId = log.logId.toString('hex')
    ledger.logId ??= logId
    ledger.isSwitching = false
    if (ledger.restartTo !== undefined && ledger.logId !== logId) ledger.restarted(logId)
    if (ledger.logId !== logId) this.#problems.push(`${name}: is another log of that name`)
    ledger.state = 'live'
    try {
      await this.clock.drive(this.#follow(name, log, ledger))
    } catch (error) {
      if (!(error instanceof LogDirectoryError && error.code === 'LOG_CORRUPT')) throw error
    }
  }

  async #follow(name: string, log: Log, ledger: LogLedger): Promise<void> {
    const derived = new NewestBatches()
    this.#derived.set(name, derived)
    await this.directory.load(log, derived)
    log.onConfirmed = () => {
      const { failures } = this.disk
      if (failures.length > 0) this.#problems.push(`${name}: acknowledges after ${failures}`)
      ledger.confirm(Number(log.confirmedOffset), log.flushMode)
    }
  }

  /** Any offset at which the log may begin. */
  #someOffset(name: string): number {
    const { logStartOffset, confirmedOffset } = this.log(name)
    return Number(logStartOffset) + this.random.below(Number(confirmedOffset - logStartOffset) + 1)
  }

  /** Any offset at which it may end, more often one near its end, as followers do. */
  #someEnd(name: string): number {
    const { logStartOffset, logEndOffset } = this.log(name)
    const range = Number(logEndOffset - logStartOffset) + 1
    const most = this.random.chance(0.5) ? Math.min(range, 20) : range
    return Number(logEndOffset) - this.random.below(most)
  }

  #ledger(name: string): LogLedger {
    return this.ledgers.get(name) as LogLedger
  }

  /** Something that goes on while other things happen. It never ends when the process dies first. */
  #begin(what: string, work: () => Promise<void>): void {
    const underWay = work()
      .catch((error: unknown) => {
        if (this.offline === undefined) this.#problems.push(`${what}: ${error}`)
      })
      .finally(() => this.#underWay.delete(underWay))
    this.#underWay.add(underWay)
  }
}

/** Small, so that journal files are used again and again, and logs are flushed between two rounds. */
function randomSizes(random: SeededRandom): Sizes {
  const fileCountMax = random.pick([3, 3, 5])
  const fileBytesMax = fileCountMax === 3 ? 16 << 10 : 32 << 10
  const dirty = random.pick([1_000, 5_000, 1 << 20])
  return {
    journal: { fileCount: 3, fileBytes: 16 << 10, fileBytesMax, fileCountMax },
    dirtyBytesMax: { ack: dirty, async: dirty, never: 4 * dirty },
  }
}
