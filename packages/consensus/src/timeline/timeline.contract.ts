/** What the timeline of a voter must do on every disk; run by the tests of each. */
import { type Clock, type FileSystem, type Logger, silentLogger } from '@naru/base'
import type { TimelineEvent } from '@naru/metadata'
import { expect, it } from 'vitest'
import { defaultTimelineLimits, type TimelineLimits } from './event-segments.ts'
import { Timeline } from './timeline.ts'
import type { TimelineItem } from './timeline-item.ts'

export interface TimelineWorld {
  readonly fileSystem: FileSystem
  readonly directory: string
  readonly clock: Clock
  /** Lets time pass until it is settled. */
  drive<T>(promise: Promise<T>): Promise<T>
}

export const firstMs = 1_700_000_000_000

/** One voter's timeline over several processes. */
export class TimelineTrial {
  readonly world: TimelineWorld
  readonly limits: TimelineLimits
  readonly logger: Logger
  timeline: Timeline
  isVoter = true
  nowMs = firstMs

  constructor(
    world: TimelineWorld,
    limits: Partial<TimelineLimits> = {},
    logger: Logger = silentLogger,
  ) {
    this.world = world
    this.limits = { ...defaultTimelineLimits, ...limits }
    this.logger = logger
    this.timeline = this.#made()
  }

  /** Another process; the one before is not asked. */
  async start({ isEmpty = false } = {}): Promise<void> {
    this.timeline = this.#made()
    await this.world.drive(this.timeline.open({ isEmpty }))
  }

  /** Entries that create topics, as many in each as `topics` says. */
  apply(from: number, to = from, topics = 1): void {
    for (let index = from; index <= to; index++) {
      this.timeline.apply(BigInt(index), eventsOf(index, topics, this.nowMs))
    }
  }

  /** The same, each in a write of its own. */
  async write(...entries: readonly [from: number, to: number] | readonly []): Promise<void> {
    const [from = 1, to = 0] = entries
    for (let index = from; index <= to; index++) {
      this.apply(index)
      await this.world.drive(this.timeline.written())
    }

    await this.world.drive(this.timeline.written())
  }

  async close(index: number): Promise<void> {
    await this.world.drive(this.timeline.close(BigInt(index)))
  }

  /** All that can be read from an index on, page by page, each by the index alone when `isForgetful`. */
  async read(index = 1, { limit = 7, sinceMs = 0, isForgetful = false } = {}) {
    const items: TimelineItem[] = []
    for (let from = { index: BigInt(index) }; ; ) {
      const page = await this.world.drive(this.timeline.events({ from, limit, sinceMs }))
      items.push(...page.items)
      from = isForgetful ? { index: page.next.index } : page.next
      if (page.isEnd) return items
    }
  }

  /** In short: `3` for each event of entry 3, `1-2 snapshot` for a gap. */
  async told(...args: Parameters<TimelineTrial['read']>): Promise<string[]> {
    return (await this.read(...args)).flatMap(shortOf)
  }

  /** Paths of the segments, oldest first, with their sizes. */
  async files(): Promise<{ path: string; sizeBytes: number }[]> {
    const { fileSystem, directory, drive } = this.world
    if ((await drive(fileSystem.stat(directory))) === undefined) return []
    const names = await drive(fileSystem.list(directory))
    const files: { path: string; sizeBytes: number }[] = []
    for (const name of names.sort()) {
      const path = `${directory}/${name}`
      files.push({ path, sizeBytes: (await drive(fileSystem.stat(path)))?.sizeBytes ?? 0 })
    }
    return files
  }

  async newest(): Promise<{ path: string; sizeBytes: number }> {
    return (await this.files()).at(-1) ?? { path: '', sizeBytes: 0 }
  }

  /** Changes a segment behind the process's back. */
  async cut(path: string, sizeBytes: number): Promise<void> {
    const { fileSystem, drive } = this.world
    const file = await drive(fileSystem.open(path, 'update'))
    await drive(file.truncate(sizeBytes))
    await drive(file.close())
  }

  async overwrite(path: string, position: number, bytes: Buffer): Promise<void> {
    const { fileSystem, drive } = this.world
    const file = await drive(fileSystem.open(path, 'update'))
    await drive(file.write([bytes], position))
    await drive(file.close())
  }

  #made(): Timeline {
    const { fileSystem, directory, clock } = this.world
    return new Timeline({
      fileSystem,
      directory,
      limits: this.limits,
      clock: {
        now: () => this.nowMs,
        monotonic: () => this.nowMs,
        setTimer: (...timer) => clock.setTimer(...timer),
        afterTurn: (callback) => clock.afterTurn(callback),
      },
      logger: this.logger,
      isVoter: () => this.isVoter,
      onBug: (error) => {
        throw error
      },
    })
  }
}

function eventsOf(index: number, topics: number, timestampMs: number): TimelineEvent[] {
  return Array.from({ length: topics }, (_, at) => ({
    type: 'topicCreated',
    topic: `topic-${index}-${at}`,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    timestampMs,
    cause: 'createTopic',
  }))
}

function shortOf(item: TimelineItem): string[] {
  if (item.kind === 'events') return item.events.map(() => String(item.index))
  return [`${item.fromIndex}-${item.index} ${item.reason}`]
}

export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => String(from + at))
}

export function timelineContract(world: () => TimelineWorld): void {
  async function started(limits: Partial<TimelineLimits> = {}): Promise<TimelineTrial> {
    const trial = new TimelineTrial(world(), limits)
    await trial.start({ isEmpty: true })
    return trial
  }

  it('has nothing on the disk before the first event', async () => {
    const trial = await started()
    trial.apply(1, 3, 0)
    await trial.write()
    expect(await trial.files()).toEqual([])
    expect(await trial.told()).toEqual([])
    await trial.close(0)
  })

  it('tells what happened, in order, with index, time and cause', async () => {
    const trial = await started()
    trial.apply(2)
    trial.nowMs += 5
    trial.apply(4)
    await trial.write()
    const at = { type: 'topicCreated', cause: 'createTopic' }
    expect(await trial.read()).toMatchObject([
      { index: 2n, events: [{ ...at, topic: 'topic-2-0', timestampMs: firstMs }] },
      { index: 4n, events: [{ ...at, topic: 'topic-4-0', timestampMs: firstMs + 5 }] },
    ])
    expect(await trial.told(1, { sinceMs: firstMs + 5 })).toEqual(['4'])
    await trial.close(4)
  })

  it('is read on from any index', async () => {
    const trial = await started({ segmentBytes: 500 })
    await trial.write(1, 40)
    expect((await trial.files()).length).toBeGreaterThan(3)
    for (let index = 1; index <= 41; index++) {
      expect(await trial.told(index)).toEqual(numbers(index, 40))
      expect(await trial.told(index, { limit: 3, isForgetful: true })).toEqual(numbers(index, 40))
    }
    await trial.close(40)
  })

  it('takes an entry with many events apart, and reads it anew by its index', async () => {
    const trial = await started()
    trial.apply(1, 1, 3_000)
    trial.apply(2)
    await trial.write()
    const items = await trial.read()
    const topics = items.flatMap((item) => (item.kind === 'events' ? item.events : []))
    expect(topics.map((event) => ('topic' in event ? event.topic : ''))).toEqual([
      ...Array.from({ length: 3_000 }, (_, at) => `topic-1-${at}`),
      'topic-2-0',
    ])
    expect(items.map((item) => item.kind === 'events' && item.isLast)).toEqual([
      ...Array.from({ length: 11 }, () => false),
      true,
      true,
    ])
    const from = { index: 1n }
    const page = await trial.world.drive(trial.timeline.events({ from, limit: 300, sinceMs: 0 }))
    expect(page).toMatchObject({ isEnd: false, next: { index: 1n } })
    await trial.close(2)
  })

  it('goes on after a restart, and writes nothing twice', async () => {
    const trial = await started()
    trial.apply(1, 10)
    await trial.write()
    await trial.start()
    trial.apply(1, 12)
    await trial.write()
    expect(await trial.told()).toEqual(numbers(1, 12))
    await trial.close(12)
  })

  it('goes on from the last whole entry, wherever the end was cut off', async () => {
    const trial = await started()
    trial.apply(1, 2)
    await trial.write()
    const { path, sizeBytes: two } = await trial.newest()
    trial.apply(3)
    await trial.close(3)
    const { sizeBytes: three } = await trial.newest()
    for (let size = three - 1; size >= two; size -= 9) {
      await trial.cut(path, size)
      await trial.start()
      expect(await trial.told()).toEqual(['1', '2'])
      trial.apply(1, 3)
      await trial.close(3)
      expect(await trial.told()).toEqual(['1', '2', '3'])
    }
  })

  it('takes zeros and noise at the end for the end', async () => {
    const trial = await started()
    trial.apply(1, 5)
    await trial.close(5)
    const { path, sizeBytes } = await trial.newest()
    for (const noise of [Buffer.alloc(900), Buffer.alloc(900, 0x7f)]) {
      await trial.overwrite(path, sizeBytes, noise)
      await trial.start()
      expect(await trial.newest()).toEqual({ path, sizeBytes })
    }
    trial.apply(6)
    await trial.close(6)
    expect(await trial.told()).toEqual(numbers(1, 6))
  })

  it('writes an entry anew of which the end is missing', async () => {
    const trial = await started()
    trial.apply(1)
    trial.apply(2, 2, 3_000)
    await trial.write()
    const { path, sizeBytes } = await trial.newest()
    await trial.cut(path, Math.floor(sizeBytes / 2))
    await trial.start()
    expect(await trial.told()).toEqual(['1'])
    trial.apply(1)
    trial.apply(2, 2, 3_000)
    await trial.close(2)
    expect(await trial.told()).toEqual(['1', ...Array.from({ length: 3_000 }, () => '2')])
  })

  it('is bounded, and tells what went', async () => {
    const trial = await started({ bytesMax: 2_000, segmentBytes: 500 })
    for (let index = 1; index <= 100; index++) {
      trial.apply(index)
      await trial.write()
      const files = await trial.files()
      expect(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThan(2_500)
    }
    const [gap, first, ...rest] = await trial.told()
    expect(gap).toBe(`1-${Number(first) - 1} retention`)
    expect([first, ...rest]).toEqual(numbers(Number(first), 100))
    expect(rest.length).toBeGreaterThan(8)
    // Who asks for what is there is not told of what went before.
    expect(await trial.told(1, { sinceMs: firstMs })).toEqual([first, ...rest])
    await trial.close(100)
  })

  it('drops what is too old', async () => {
    const trial = await started({ ageMsMax: 7_000 })
    for (let index = 1; index <= 30; index++) {
      trial.apply(index)
      await trial.write()
      trial.nowMs += 1_000
    }
    const [gap, ...told] = await trial.told()
    const first = Number(told[0])
    expect(gap).toBe(`1-${first - 1} retention`)
    expect(told).toEqual(numbers(first, 30))
    expect(first).toBeLessThanOrEqual(23)
    expect(first).toBeGreaterThan(19)
    await trial.close(30)
  })

  it('tells of a snapshot that stood for entries', async () => {
    const trial = await started()
    trial.apply(1, 2)
    trial.timeline.restored(5n)
    expect(await trial.told()).toEqual([])
    await trial.write()
    expect(await trial.told(3)).toEqual(['3-5 snapshot'])
    trial.apply(6)
    await trial.write()
    expect(await trial.told()).toEqual(['1', '2', '3-5 snapshot', '6'])
    expect(await trial.told(4)).toEqual(['4-5 snapshot', '6'])
    await trial.close(6)
  })

  it('misses nothing when its own snapshot took the place of entries without events', async () => {
    const trial = await started()
    trial.apply(1)
    trial.apply(2, 9, 0)
    trial.timeline.passed(10n)
    await trial.write()
    await trial.start()
    trial.timeline.restored(10n)
    trial.apply(11)
    await trial.close(11)
    expect(await trial.told()).toEqual(['1', '11'])
  })

  it('misses what it did not write before the log forgot it', async () => {
    const trial = await started()
    trial.apply(1)
    await trial.write()
    trial.apply(2)
    // The process ends before it is written.
    await trial.start()
    trial.timeline.restored(3n)
    trial.apply(4)
    await trial.close(4)
    expect(await trial.told()).toEqual(['1', '2-3 snapshot', '4'])
  })

  it('writes as a voter only', async () => {
    const trial = await started()
    trial.isVoter = false
    trial.apply(1, 4)
    await trial.close(4)
    expect(await trial.files()).toEqual([])
    trial.isVoter = true
    trial.apply(5)
    await trial.write()
    trial.isVoter = false
    trial.apply(6, 7)
    trial.isVoter = true
    trial.apply(8)
    await trial.close(8)
    const told = ['1-4 observer', '5', '6-7 observer', '8']
    expect(await trial.told()).toEqual(told)
    // What it knows it does not miss when it has no vote any more.
    trial.isVoter = false
    await trial.start()
    trial.apply(1, 8)
    expect(await trial.told()).toEqual(told)
    trial.apply(9)
    expect(await trial.told()).toEqual([...told, '9-9 observer'])
  })

  it('forgets the history of a log that is gone', async () => {
    const trial = await started()
    trial.apply(1, 5)
    await trial.close(5)
    await trial.start({ isEmpty: true })
    trial.apply(1, 2)
    await trial.close(2)
    expect(await trial.told()).toEqual(['1', '2'])
  })

  it('tells of damage, and of what comes after it', async () => {
    const trial = await started({ segmentBytes: 500 })
    await trial.write(1, 30)
    const [, second, third] = await trial.files()
    await trial.overwrite(second?.path ?? '', 120, Buffer.from('damage'))
    const next = Number((third?.path ?? '').slice(-20))
    const told = await trial.told()
    const at = told.findIndex((text) => text.endsWith('unreadable'))
    expect(told[at]).toBe(`${at + 1}-${next - 1} unreadable`)
    expect(told.toSpliced(at, 1)).toEqual([...numbers(1, at), ...numbers(next, 30)])
    // An end that is gone is found out as well.
    await trial.cut(second?.path ?? '', 0)
    expect((await trial.told()).some((text) => text.endsWith(`-${next - 1} unreadable`))).toBe(true)
    await trial.close(30)
  })

  it('wakes who waits for more, and who waits no longer', async () => {
    const trial = await started()
    const abort = new AbortController()
    const { version } = trial.timeline
    const changed = trial.timeline.changed(version, abort.signal)
    trial.apply(1)
    await trial.world.drive(changed)
    expect(await trial.told()).toEqual(['1'])
    await trial.world.drive(trial.timeline.changed(version, abort.signal))
    const waiting = trial.timeline.changed(trial.timeline.version, abort.signal)
    abort.abort()
    await trial.world.drive(waiting)
    await trial.world.drive(trial.timeline.changed(trial.timeline.version, abort.signal))
    await trial.close(1)
  })
}
