// A follower's log is cut, or begun anew: journal.md 2.5, 2.11, 3.3 and 3.4, one by one. At random: the walks of log-walk.ts.
import type { FlushMode } from '@naru/log'
import { describe, expect, it } from 'vitest'
import { LogWorld } from './log-world.ts'

const sizes = {
  journal: { fileCount: 3, fileBytes: 128 << 10, fileBytesMax: 128 << 10, fileCountMax: 3 },
  dirtyBytesMax: { ack: 1 << 20, async: 1 << 20, never: 1 << 20 },
}
const modes: readonly FlushMode[] = ['ack', 'async', 'never']
const ends = ['crash', 'power'] as const

async function worldWith(mode: FlushMode, { segments = 3, seed = 1 } = {}): Promise<LogWorld> {
  const world = new LogWorld(seed, sizes)
  await world.open()
  world.create('a-0', mode, 0)
  await world.settle()
  while (world.log('a-0').segments.length < segments) {
    world.append('a-0')
    await world.confirmed()
  }
  return world
}

/** The boundary of a batch in the middle of a segment. */
function middleOf(world: LogWorld, segment: number): number {
  const log = world.log('a-0')
  const base = Number(log.segments[segment]?.baseOffset)
  const end = Number(log.segments[segment + 1]?.baseOffset ?? log.logEndOffset)
  return world.ledgers.get('a-0')?.boundaryAt(Math.floor((base + end) / 2)) as number
}

function interrupt(world: LogWorld, how: (typeof ends)[number]): void {
  if (how === 'power') world.losePower()
  else world.crash()
}

async function restarted(world: LogWorld): Promise<string[]> {
  world.disk.delay = () => 0
  world.disk.watch = () => {}
  await world.open()
  return world.audit()
}

/** Lets things happen until that operation was done. */
async function untilDone(world: LogWorld, operation: string, path: RegExp): Promise<void> {
  let isDone = false
  world.disk.watch = (what, at) => {
    isDone ||= what === operation && path.test(at)
  }
  await world.until(() => isDone)
}

describe.each(modes)('a truncation of a log of mode %s', (mode) => {
  it.each(ends)(
    'ends at a boundary, is durable when it resolves, and the log goes on (%s)',
    async (how) => {
      const world = await worldWith(mode)
      const boundary = middleOf(world, 0)
      world.truncate('a-0', boundary)
      await world.settle()
      expect(Number(world.log('a-0').logEndOffset)).toBe(boundary)
      expect(world.log('a-0').segments).toHaveLength(1)
      for (let i = 0; i < 12; i++) world.append('a-0')
      await world.confirmed()
      interrupt(world, how)
      expect(await restarted(world)).toEqual([])
    },
  )

  it('within a batch ends where that begins', async () => {
    const world = await worldWith(mode, { segments: 2 })
    const ledger = world.ledgers.get('a-0')
    const log = world.log('a-0')
    const inside = [...Array(Number(log.logEndOffset)).keys()].find(
      (offset) => ledger?.boundaryAt(offset) !== offset,
    ) as number
    const end = await world.clock.drive(world.directory.truncate(log, BigInt(inside)))
    expect(Number(end)).toBe(ledger?.boundaryAt(inside))
  })

  it.each(ends)('at the start of a segment keeps that one, empty (%s)', async (how) => {
    const world = await worldWith(mode)
    const base = Number(world.log('a-0').segments[1]?.baseOffset)
    world.truncate('a-0', base)
    await world.settle()
    expect(world.log('a-0').writtenEnd).toEqual({
      endOffset: BigInt(base),
      segmentBaseOffset: BigInt(base),
      position: 0,
    })
    world.append('a-0')
    await world.confirmed()
    await world.quiet()
    interrupt(world, how)
    expect(await restarted(world)).toEqual([])
  })

  it('acknowledges nothing of what it cuts, and no append is accepted before it is done', async () => {
    const world = await worldWith(mode, { segments: 1 })
    for (let i = 0; i < 4; i++) world.append('a-0')
    await world.confirmed()
    const log = world.log('a-0')
    for (let i = 0; i < 4; i++) world.append('a-0')
    const ledger = world.ledgers.get('a-0')
    const boundary = ledger?.boundaryAt(Number(log.logEndOffset) - 6) as number
    expect(boundary).toBeGreaterThan(Number(log.confirmedOffset))
    world.truncate('a-0', boundary)
    expect(() => log.append(Buffer.alloc(0), {} as never)).toThrow('is being truncated')
    let most = 0n
    await world.until(() => {
      if (log.confirmedOffset > most) most = log.confirmedOffset
      return !log.isTruncating
    })
    expect(Number(most)).toBe(boundary)
    world.append('a-0')
    await world.confirmed()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it.each(Array.from({ length: 40 }, (_, index) => index))(
    'and the start after it may be interrupted anywhere (step %i)',
    async (steps) => {
      const world = await worldWith(mode, { seed: 1 + steps })
      world.truncate('a-0', middleOf(world, 0))
      await world.run(steps)
      interrupt(world, ends[steps % 2] as 'crash')
      world.beginStart()
      await world.run(steps * 2)
      interrupt(world, ends[(steps >> 1) % 2] as 'crash')
      expect(await restarted(world)).toEqual([])
    },
  )

  it('leaves a reader that was under way with nothing', async () => {
    const world = await worldWith(mode, { segments: 2 })
    const log = world.log('a-0')
    const path = log.segments[0]?.path
    world.disk.delay = (operation, at) => (operation === 'read' && at === path ? 500 : 0)
    const upTo = log.confirmedOffset
    const reading = log.read({ offset: 0n, maxBytes: 100_000, upTo, atLeastOne: true })
    world.truncate('a-0', middleOf(world, 0))
    await world.settle()
    world.append('a-0')
    expect(await world.clock.drive(reading)).toHaveLength(0)
  })

  it('before a move of the start that lay above the end leaves nothing to move', async () => {
    const world = await worldWith(mode)
    const log = world.log('a-0')
    const boundary = middleOf(world, 0)
    world.truncate('a-0', boundary)
    await world.clock.drive(world.directory.moveStart(log, log.confirmedOffset))
    expect(log.logStartOffset).toBe(0n)
    expect(Number(log.logEndOffset)).toBe(boundary)
  })

  it('below the start of the log begins it anew there', async () => {
    const world = await worldWith(mode)
    const log = world.log('a-0')
    world.moveStart('a-0', Number(log.segments[1]?.baseOffset) + 2)
    await world.settle()
    expect(await world.clock.drive(world.directory.truncate(log, 1n))).toBe(1n)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([1n, 1n])
  })
})

describe('a truncation (journal.md 2.5)', () => {
  it('waits for writes in flight, and is durable in the journal before the file is cut', async () => {
    const world = await worldWith('ack', { segments: 2 })
    const done: string[] = []
    world.append('a-0')
    world.truncate('a-0', middleOf(world, 0))
    world.disk.watch = (operation, path) => {
      if (/journal-\d+$/.test(path) || path.endsWith('.log')) done.push(operation)
    }
    await world.settle()
    const cut = done.indexOf('truncate')
    // What waits above the end goes into no round: the only one is that of the truncation.
    expect(done.slice(0, cut).filter((operation) => operation === 'write')).toHaveLength(1)
    expect(done.indexOf('remove')).toBeGreaterThan(done.indexOf('write'))
  })

  it.each(ends)('is replayed where the file was not cut yet (%s)', async (how) => {
    const world = await worldWith('ack')
    const boundary = middleOf(world, 0)
    world.truncate('a-0', boundary)
    await world.until(() => world.log('a-0').cuts > 0)
    interrupt(world, how)
    expect(await restarted(world)).toEqual([])
    expect(Number(world.log('a-0').logEndOffset)).toBe(boundary)
  })

  it.each(ends)(
    'explains a file that is shorter than its checkpoint says (%s, 3.3)',
    async (how) => {
      const world = await worldWith('ack')
      await world.quiet()
      world.truncate('a-0', middleOf(world, 0))
      await world.settle()
      interrupt(world, how)
      expect(await restarted(world)).toEqual([])
      expect(world.log('a-0').isDamaged).toBe(false)
    },
  )

  it('does not explain a file that is shorter still (3.3)', async () => {
    const world = await worldWith('ack', { segments: 1 })
    for (let i = 0; i < 5; i++) world.append('a-0')
    await world.confirmed()
    await world.quiet()
    world.truncate('a-0', middleOf(world, 0))
    await world.settle()
    world.append('a-0')
    await world.confirmed()
    const path = world.log('a-0').activeSegment.path
    world.crash()
    world.disk.file(path)?.cut(100)
    await world.open()
    expect(world.log('a-0').isDamaged).toBe(true)
    expect(await world.audit(() => 'flagged loss')).toEqual([])
  })

  it('takes away the segments that a start makes again before it (3.3)', async () => {
    const world = await worldWith('ack', { segments: 1 })
    while (world.log('a-0').segments.length < 3) world.append('a-0')
    await world.confirmed()
    world.truncate('a-0', middleOf(world, 0))
    await world.settle()
    while (world.log('a-0').segments.length < 2) world.append('a-0', { valueBytes: 10 })
    await world.confirmed()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('takes away segments above it that nothing names, also when the log has outgrown them (3.4)', async () => {
    const world = await worldWith('ack')
    const stale = world.log('a-0').segments[1]?.path as string
    const old = await world.clock.drive(world.disk.readFile(stale))
    await world.quiet()
    world.truncate('a-0', middleOf(world, 0))
    await world.settle()
    while (world.log('a-0').segments.length < 2) world.append('a-0', { valueBytes: 10 })
    await world.confirmed()
    const file = await world.clock.drive(world.disk.open(stale, 'write'))
    await world.clock.drive(file.write([old], 0))
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('goes with no snapshot of what it cuts, also when one was just due', async () => {
    const world = await worldWith('ack')
    const log = world.log('a-0')
    const stale = Number(log.logEndOffset)
    world.disk.delay = (operation, path) =>
      operation === 'rename' && path.endsWith('.snapshot.tmp') ? 300 : 0
    world.truncate('a-0', middleOf(world, 0))
    await world.until(() => log.isPending)
    const captured = log.derived?.capture()
    if (captured !== undefined) log.storage.persistDerived(log, log.activeSegment, captured)
    await world.settle()
    while (Number(log.logEndOffset) <= stale + 1) world.append('a-0', { valueBytes: 10 })
    await world.confirmed()
    // A checkpoint that covers the truncation: a start has no other reason to look for snapshots.
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('takes snapshots that lie above it away from a start, also when the log has outgrown them (3.4)', async () => {
    const world = await worldWith('ack')
    const stale = Number(world.log('a-0').segments[2]?.baseOffset)
    const name = `/data/a-0/${String(stale).padStart(20, '0')}.snapshot`
    await world.until(() => world.disk.paths().includes(name))
    const old = await world.clock.drive(world.disk.readFile(name))
    world.truncate('a-0', middleOf(world, 0))
    await world.settle()
    while (Number(world.log('a-0').logEndOffset) <= stale + 1) {
      world.append('a-0', { valueBytes: 10 })
      await world.confirmed()
    }
    const file = await world.clock.drive(world.disk.open(name, 'write'))
    await world.clock.drive(file.write([old], 0))
    world.crash()
    expect(await restarted(world)).toEqual([])
  })
})

describe('a truncation of a log that is not in the journal (journal.md 2.11)', () => {
  it.each(ends)('lowers the checkpoint before the file is cut (%s)', async (how) => {
    const world = await worldWith('async')
    await world.quiet()
    world.truncate('a-0', middleOf(world, 0))
    await untilDone(world, 'sync', /a-0\/.*\.log$/)
    interrupt(world, how)
    expect(await restarted(world)).toEqual([])
    expect(world.log('a-0').isDamaged).toBe(false)
  })

  it('leaves a flush that was under way nothing to claim', async () => {
    const world = await worldWith('async', { segments: 2 })
    let syncs = 0
    world.disk.delay = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') && syncs++ < 2 ? 400 : 0
    await world.until(() => syncs > 0)
    world.truncate('a-0', middleOf(world, 0))
    await world.settle()
    await world.clock.drive(world.clock.pause(900))
    await world.clock.drive(world.directory.checkpoint())
    world.crash()
    expect(await restarted(world)).toEqual([])
  })
})

describe.each(modes)('a log of mode %s that begins anew', (mode) => {
  it.each(ends)('is empty there, and goes on (%s)', async (how) => {
    const world = await worldWith(mode)
    world.restart('a-0', 500)
    await world.settle()
    const log = world.log('a-0')
    expect([log.logStartOffset, log.logEndOffset, log.confirmedOffset]).toEqual([500n, 500n, 500n])
    for (let i = 0; i < 12; i++) world.append('a-0')
    await world.confirmed()
    await world.quiet()
    interrupt(world, how)
    expect(await restarted(world)).toEqual([])
    expect(world.log('a-0').logStartOffset).toBe(500n)
  })

  it.each(Array.from({ length: 50 }, (_, index) => index))(
    'is the old log, a part of it or the new one after a crash at step %i',
    async (steps) => {
      const world = await worldWith(mode, { seed: 1 + steps })
      world.restart('a-0', steps % 3 === 0 ? 2 : 500)
      await world.run(steps)
      interrupt(world, ends[steps % 2] as 'crash')
      world.beginStart()
      await world.run(steps)
      interrupt(world, ends[(steps >> 1) % 2] as 'crash')
      expect(await restarted(world)).toEqual([])
      expect(world.log('a-0').isDamaged).toBe(false)
    },
  )

  it('is damaged where a crash leaves less than where it began', async () => {
    const world = await worldWith(mode)
    const log = world.log('a-0')
    await world.quiet()
    const start = middleOf(world, 0)
    world.moveStart('a-0', start)
    await world.settle()
    expect(Number(log.segments[0]?.baseOffset)).toBeLessThan(start)
    world.restart('a-0', 500)
    await world.until(() => Number(log.logEndOffset) < start)
    await untilDone(world, 'sync', /a-0$/)
    world.crash()
    await world.open()
    const { isDamaged, logEndOffset } = world.log('a-0')
    expect([isDamaged, Number(logEndOffset) < start]).toEqual([true, true])
    world.crash()
    await world.open()
    expect(world.log('a-0').isDamaged).toBe(true)
  })

  it('keeps its flush mode and what is said of its damage, also when a crash comes first', async () => {
    const world = await worldWith('ack', { segments: 1 })
    const log = world.log('a-0')
    await world.clock.drive(world.directory.setFlushMode(log, mode))
    log.isDamaged = true
    world.restart('a-0', 500)
    await untilDone(world, 'rename', /partition\.metadata/)
    world.crash()
    await world.open()
    expect(world.log('a-0')).toMatchObject({ flushMode: mode, isDamaged: true, logEndOffset: 500n })
  })
})

it('a log that cannot be loaded can begin anew', async () => {
  const world = await worldWith('ack')
  await world.close()
  const path = world.log('a-0').segments[0]?.path as string
  world.crash()
  world.disk.file(path)?.flip(16)
  for (const at of world.disk.paths()) {
    if (/\.(snapshot|index|timeindex)$/.test(at)) await world.clock.drive(world.disk.remove(at))
  }
  await world.open()
  expect(world.isLive('a-0')).toBe(false)
  world.restart('a-0', 500)
  await world.settle()
  world.losePower()
  expect(await restarted(world)).toEqual([])
  expect(world.isLive('a-0')).toBe(true)
})
