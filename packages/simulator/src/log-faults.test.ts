// Disks that fail: replication.md F6 to F8, journal.md 2.13 and 3.2.
import { batchAt, batchForTimestamp } from '@naru/log'
import { batchHeaderBytes, lastOffsetAt } from '@naru/records'
import { describe, expect, it } from 'vitest'
import { batchPositions } from './log-faults-walk.ts'
import { LogWorld } from './log-world.ts'
import type { SimulatedFile } from './simulated-file.ts'

const firstSegment = '/data/a-0/00000000000000000000.log'
const sizes = {
  journal: { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 },
  dirtyBytesMax: { ack: 1 << 20, async: 1 << 20, never: 1 << 20 },
}

/** Reads a damaged log at random and whole: a refusal to read is right, anything wrong is not. */
async function unexplained(world: LogWorld): Promise<string[]> {
  if (world.isLive('a-0')) for (let i = 0; i < 8; i++) world.read('a-0')
  await world.settle()
  const problems = await world.audit((name) => (name === 'a-0' ? 'reported loss' : 'nothing'))
  return problems.filter((problem) => !problem.includes('LogDirectoryError: Cannot read'))
}

async function worldWith(appends: number, { settle = 60 } = {}): Promise<LogWorld> {
  const world = new LogWorld(11, sizes)
  await world.open()
  for (const name of ['a-0', 'b-0']) world.create(name, 'ack', 0)
  await world.settle()
  for (let i = 0; i < appends; i++) {
    world.append(i % 2 === 0 ? 'a-0' : 'b-0')
    await world.run(6)
  }
  await world.run(settle)
  return world
}

describe('an error of the disk', () => {
  it.each([
    ['EIO', 'write', '.journal/'],
    ['EIO', 'sync', 'a-0/'],
    ['ENOSPC', 'write', 'a-0/'],
    ['ENOSPC', 'write', 'naru-checkpoint'],
    ['EIO', 'sync', 'naru-checkpoint'],
  ])(
    '%s on %s of %s takes the directory offline, and nothing more is acknowledged',
    async (code, operation, part) => {
      const world = await worldWith(20)
      world.mayFail = true
      const failing: string[] = []
      world.disk.fault = (what, path) => {
        if (failing.length > 0 || what !== operation || !path.includes(part)) return undefined
        failing.push(path)
        return code
      }
      for (let i = 0; i < 60 && world.offline === undefined; i++) {
        world.append('a-0')
        await world.run(40)
        if (part === 'naru-checkpoint' || operation === 'sync') await world.quiet()
      }
      expect(world.offline?.message).toContain('is offline')
      const before = world.ledgers.get('a-0')?.acknowledged
      world.append('a-0')
      await world.run(200)
      expect(world.ledgers.get('a-0')?.acknowledged).toBe(before)
      await expect(world.clock.drive(world.directory.checkpoint())).rejects.toThrow('is offline')
      // The disk works again, and the process is started again: what was acknowledged is there.
      world.crash()
      await world.open()
      expect(await world.audit()).toEqual([])
    },
  )

  it('leaves out all that would be stored after it: a snapshot vouches for the indexes before it', async () => {
    const world = await worldWith(2)
    world.mayFail = true
    let hits = 0
    world.disk.fault = (operation, path) =>
      operation === 'write' && path.endsWith('.index.tmp') && hits++ === 0 ? 'EIO' : undefined
    while (world.log('a-0').segments.length < 4) world.append('a-0')
    await world.until(() => world.offline !== undefined)
    await world.run(200)
    expect(world.disk.paths().filter((path) => path.endsWith('.snapshot'))).toEqual([])
  })
})

describe('damage on the disk', () => {
  it('in a segment below the recovered end is reported, and never served', async () => {
    const world = await worldWith(30)
    await world.clock.drive(world.directory.close())
    world.disk.file(firstSegment)?.flip(100)
    await world.open()
    const reading = world.clock.drive(
      world.log('a-0').read({ offset: 0n, maxBytes: 1_000, upTo: 1_000n, atLeastOne: true }),
    )
    await expect(reading).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  })

  it('of what this process has written is found by those who ask for it, and told once', async () => {
    const world = await worldWith(30)
    await world.quiet()
    const log = world.log('a-0')
    const file = world.disk.file(firstSegment) as SimulatedFile
    const [, second] = batchPositions(file.cached)
    file.flip((second as number) + batchHeaderBytes + 4)
    let told = 0
    log.onCorrupt = () => told++
    const read = (offset: bigint, isChecked: boolean) =>
      world.clock.drive(
        log.read({ offset, maxBytes: 100_000, upTo: 1_000n, atLeastOne: true, isChecked }),
      )
    // What comes before it is served.
    const before = await read(0n, true)
    expect(before.length).toBe(second)
    const next = lastOffsetAt(before, 0) + 1n
    expect((await read(next, false)).length).toBeGreaterThan(0)
    expect(log.corruption).toBeUndefined()
    for (let i = 0; i < 2; i++) {
      await expect(read(next, true)).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
    }
    expect(log.corruption).toMatchObject({ code: 'LOG_CORRUPT' })
    expect(told).toBe(1)
  })

  it.each([
    ['first', 'stop'],
    ['middle', 'stop'],
    ['last', 'stop'],
    ['first', 'crash'],
    ['middle', 'crash'],
    ['last', 'crash'],
  ])('of any byte of the header of the %s batch after a %s is never served', async (which, how) => {
    for (let byte = 0; byte < batchHeaderBytes; byte++) {
      const world = await worldWith(9)
      await world.quiet()
      if (how === 'stop') await world.close()
      else world.crash()
      const file = world.disk.file(firstSegment) as SimulatedFile
      const positions = batchPositions(file.cached)
      const index = { first: 0, middle: 2, last: positions.length - 1 }[which] as number
      file.flip((positions[index] as number) + byte)
      await world.open()
      expect(await unexplained(world), `byte ${byte}`).toEqual([])
    }
  })

  it('of a record is not served by a look-up either', async () => {
    const world = await worldWith(9)
    await world.close()
    world.crash()
    const file = world.disk.file(firstSegment) as SimulatedFile
    for (const position of batchPositions(file.cached)) file.flip(position + batchHeaderBytes + 4)
    await world.open()
    const log = world.log('a-0')
    const { confirmedOffset: upTo } = log
    const first = batchForTimestamp(log, { timestamp: 0n, from: 0n, upTo })
    await expect(world.clock.drive(first)).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
    const last = world.clock.drive(batchAt(log, upTo - 1n))
    await expect(last).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  })

  it('of the lowest bit of a base offset, which still covers its neighbour, is not served', async () => {
    for (let batch = 0; batch < 5; batch++) {
      const world = await worldWith(9)
      await world.close()
      world.crash()
      const file = world.disk.file(firstSegment) as SimulatedFile
      file.flip((batchPositions(file.cached)[batch] as number) + 7, 0)
      await world.open()
      for (let offset = 0; offset < Number(world.log('a-0').logEndOffset); offset++) {
        world.read('a-0', offset)
        await world.settle()
      }
      expect(await unexplained(world), `batch ${batch}`).toEqual([])
    }
  })

  it('of a base offset is not served when the index is gone either', async () => {
    const world = await worldWith(0)
    while (world.log('a-0').segments.length < 3) world.append('a-0')
    await world.confirmed()
    await world.close()
    await world.clock.drive(world.disk.remove(firstSegment.replace('.log', '.index')))
    const file = world.disk.file(firstSegment) as SimulatedFile
    file.flip((batchPositions(file.cached)[2] as number) + 1)
    await world.open()
    expect(await unexplained(world)).toEqual([])
  })

  it.each([
    ['a sealed segment', 3],
    ['the segment that a start reads on in', 1],
  ])('of any byte of the index of %s costs no record', async (_, segments) => {
    const path = firstSegment.replace('.log', '.index')
    for (let byte = 0; ; byte++) {
      const world = await worldWith(0)
      const { activeSegment } = world.log('a-0')
      while (activeSegment.sizeBytes < 4_000) world.append('a-0')
      while (world.log('a-0').segments.length < segments) world.append('a-0')
      await world.confirmed()
      await world.close()
      const file = world.disk.file(path) as SimulatedFile
      expect(file.cached.length).toBeGreaterThan(16)
      if (byte === file.cached.length) break
      file.flip(byte)
      await world.open()
      expect(await world.audit()).toEqual([])
    }
  })

  it.each([2, 5, 7])('of byte %i of an unjournaled tail moves no offset', async (position) => {
    const world = new LogWorld(3, sizes)
    await world.open()
    world.create('a-0', 'never', 0)
    await world.settle()
    for (let i = 0; i < 4; i++) world.append('a-0')
    await world.confirmed()
    world.crash()
    world.disk.file(firstSegment)?.flip(position)
    await world.open()
    expect(await world.audit(() => 'any loss')).toEqual([])
  })

  it('that takes the end of a segment is reported, also when the journal goes on behind it', async () => {
    const world = await worldWith(6)
    await world.quiet()
    world.append('a-0')
    await world.confirmed()
    world.crash()
    world.disk.file(firstSegment)?.cut(100)
    await world.open()
    expect(world.log('a-0').isDamaged).toBe(true)
    expect(await world.audit((name) => (name === 'a-0' ? 'reported loss' : 'nothing'))).toEqual([])
  })

  it('of an identity file leaves the directory as it is, and in the way of an empty log of that name', async () => {
    const world = await worldWith(30)
    world.crash()
    world.disk.file('/data/a-0/partition.metadata')?.flip(50)
    await world.open()
    expect(world.directory.logs.has('a-0')).toBe(false)
    world.create('a-0', 'ack', 0)
    await world.settle()
    expect(await world.audit(() => 'any loss')).toEqual([
      expect.stringContaining('holds segments, but no valid partition.metadata'),
    ])
    expect(world.directory.offline).toBeUndefined()
    expect(world.disk.file(firstSegment)?.cached.length).toBeGreaterThan(0)
  })

  it('in a round of the journal that had been durable is reported for every log that may have been in it', async () => {
    const world = await worldWith(6, { settle: 0 })
    const journal = world.disk.file('/data/.journal/journal-1')
    world.crash()
    // The second round: the later ones witness that it had been durable.
    const second = journal?.cached.readUInt32LE(40) ?? 0
    journal?.flip(second + 30)
    await world.open()
    expect(world.log('a-0').isDamaged).toBe(true)
    expect(world.log('b-0').isDamaged).toBe(true)
  })

  it('in the last round that a full journal holds is no torn tail either', async () => {
    const world = new LogWorld(1, sizes)
    await world.open()
    world.create('a-0', 'ack', 0)
    await world.settle()
    // Twelve rounds of a page each fill the journal: there is no room for a witness until it is freed.
    for (let i = 0; i < 12; i++) {
      world.append('a-0')
      await world.confirmed()
    }
    await world.clock.drive(world.clock.pause(500))
    world.crash()
    world.disk.file('/data/.journal/journal-3')?.flip(12_288 + 100)
    await world.open()
    expect(await world.audit(() => 'reported loss')).toEqual([])
  })

  it('in the last round is no torn tail while appends of another log are held back', async () => {
    const world = await worldWith(0)
    let writes = 0
    world.disk.delay = (operation, path) =>
      operation === 'write' && path.includes('.journal/') && writes++ === 0 ? 20 : 0
    // Two rounds that complete together, and behind them a log that is held.
    for (let i = 0; i < 2; i++) {
      world.append('a-0')
      await world.clock.step()
    }
    world.append('b-0')
    world.delete('b-0')
    await world.clock.drive(world.clock.pause(500))
    world.crash()
    world.disk.file('/data/.journal/journal-1')?.flip(4096 + 200)
    await world.open()
    expect(world.log('a-0').isDamaged).toBe(true)
  })

  it('in the last round, which nothing witnesses, is the torn tail of a write that nobody was told of', async () => {
    const world = new LogWorld(5, sizes)
    await world.open()
    world.create('a-0', 'ack', 0)
    await world.settle()
    world.append('a-0')
    await world.clock.step()
    world.crash()
    world.disk.file('/data/.journal/journal-1')?.flip(30)
    await world.open()
    expect(world.log('a-0').isDamaged).toBe(false)
    expect(world.log('a-0').logEndOffset).toBe(0n)
  })

  it('of the checkpoint leaves every log to be read whole and reported', async () => {
    const world = await worldWith(30)
    await world.clock.drive(world.directory.close())
    world.disk.file('/data/naru-checkpoint')?.flip(40)
    await world.open()
    expect(world.directory.start.kind).toBe('unknown')
    expect(world.log('a-0').isDamaged).toBe(true)
    expect(world.log('a-0').logEndOffset).toBe(BigInt(world.ledgers.get('a-0')?.end ?? 0))
  })
})
