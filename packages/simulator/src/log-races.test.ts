// What random walks have found, made to happen at will.
import { describe, expect, it } from 'vitest'
import { LogWorld } from './log-world.ts'
import { NewestBatches } from './newest-batches.ts'

const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }
const flushNothing = { ack: 1 << 20, async: 1 << 20, never: 1 << 20 }
const flushAtOnce = { ack: 1, async: 1, never: 1 }
const seeds = [1, 2, 3, 4, 5, 6]

async function worldWith(
  modes: Readonly<Record<string, 'ack' | 'async'>>,
  { seed = 1, dirtyBytesMax = flushNothing } = {},
): Promise<LogWorld> {
  const world = new LogWorld(seed, { journal, dirtyBytesMax })
  await world.open()
  for (const [name, mode] of Object.entries(modes)) world.create(name, mode, 0)
  await world.settle()
  return world
}

/** Appends until the log has at least so many segments, all of it confirmed. */
async function fill(world: LogWorld, name: string, segments: number): Promise<void> {
  while (world.log(name).segments.length < segments) {
    world.append(name)
    await world.confirmed()
  }
}

function segmentAt(world: LogWorld, name: string, index: number): number {
  return Number(world.log(name).segments[index]?.baseOffset)
}

/** What is wrong after a start. */
async function restarted(world: LogWorld): Promise<string[]> {
  world.disk.delay = () => 0
  await world.open()
  return world.audit()
}

describe('a deletion', () => {
  it('waits for a flush of the log that is under way', async () => {
    const world = await worldWith({ 'a-0': 'ack' }, { dirtyBytesMax: flushAtOnce })
    world.disk.delay = (operation, path) => (operation === 'sync' && path.endsWith('.log') ? 50 : 0)
    world.append('a-0')
    await world.confirmed()
    world.delete('a-0')
    await world.settle()
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('leaves nothing to be stored by those who have not heard of it', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    world.append('a-0')
    await world.confirmed()
    const log = world.log('a-0')
    world.delete('a-0')
    await world.settle()
    log.roll()
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('waits for retention, which would take a segment of the next log of that name', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    await fill(world, 'a-0', 3)
    world.disk.delay = (operation, path) =>
      operation === 'rename' && path.endsWith('naru-checkpoint.tmp') ? 100 : 0
    world.moveStart('a-0', segmentAt(world, 'a-0', 1))
    await world.run(2)
    world.delete('a-0')
    await world.until(() => !world.ledgers.has('a-0'))
    world.create('a-0', 'ack', 0)
    await world.until(() => world.isLive('a-0'))
    world.append('a-0')
    await world.confirmed()
    await world.settle()
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('forgets files that are being opened, whose path the next log of that name takes', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    await fill(world, 'a-0', 2)
    await world.close()
    world.crash()
    await world.open()
    const segment = world.log('a-0').segments[0]?.path
    world.disk.delay = (operation, path) => (operation === 'opened' && path === segment ? 20 : 0)
    world.read('a-0', 0)
    await world.run(1)
    world.delete('a-0')
    await world.settle()
    world.disk.delay = () => 0
    world.create('a-0', 'ack', 0)
    await world.settle()
    world.append('a-0')
    await world.confirmed()
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it.each(seeds)('forgets which segments had a durable name, seed %i', async (seed) => {
    const world = await worldWith({ 'a-0': 'ack' }, { seed })
    await fill(world, 'a-0', 3)
    world.moveStart('a-0', segmentAt(world, 'a-0', 1))
    await world.settle()
    world.delete('a-0')
    await world.settle()
    world.create('a-0', 'ack', 0)
    await world.settle()
    world.append('a-0')
    await world.confirmed()
    await world.quiet()
    world.losePower()
    expect(await restarted(world)).toEqual([])
  })
})

describe('the loading of a log', () => {
  it.each(seeds)(
    'is over before its deletion, or fails when it comes later (seed %i)',
    async (seed) => {
      const world = await worldWith({ 'a-0': 'ack' }, { seed })
      const { config } = world.log('a-0')
      const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
      const wanted = { name: 'b-0', topicId, firstOffset: 0n, flushMode: 'ack', config } as const
      const log = await world.clock.drive(world.directory.createLog(wanted))
      const early = world.directory.load(log, new NewestBatches())
      const deletion = world.directory.deleteLog(log)
      const late = world.directory.load(log, new NewestBatches())
      const outcomes = await world.clock.drive(Promise.allSettled([early, deletion, late]))
      expect(outcomes[1]?.status).toBe('fulfilled')
      for (const outcome of [outcomes[0], outcomes[2]]) {
        if (outcome?.status === 'rejected') expect(outcome.reason.code).toBe('LOG_DELETED')
      }
      await expect(world.directory.load(log, new NewestBatches())).rejects.toThrow('is deleted')
    },
  )
})

describe('a move of the start', () => {
  it('removes no more than its own checkpoint says', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    await fill(world, 'a-0', 4)
    let checkpoints = 0
    world.disk.delay = (operation, path) => {
      if (operation !== 'rename' || !path.endsWith('naru-checkpoint.tmp')) return 0
      return ++checkpoints > 1 ? 1_000 : 20
    }
    world.moveStart('a-0', segmentAt(world, 'a-0', 1))
    await world.until(() => checkpoints === 1)
    world.moveStart('a-0', segmentAt(world, 'a-0', 3))
    await world.until(() => checkpoints > 1)
    await world.clock.drive(world.clock.pause(100))
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('goes together with the storing of snapshots', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    await fill(world, 'a-0', 3)
    world.disk.delay = (operation, path) =>
      operation === 'rename' && path.endsWith('.snapshot') ? 200 : 0
    world.moveStart('a-0', segmentAt(world, 'a-0', 2))
    await fill(world, 'a-0', 4)
    await world.settle()
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('leaves a reader of what it removes with nothing', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    await fill(world, 'a-0', 3)
    await world.close()
    world.crash()
    await world.open()
    const first = world.log('a-0').segments[0]?.path as string
    world.disk.delay = (operation, path) => (operation === 'open' && path === first ? 200 : 0)
    world.read('a-0', 1)
    world.moveStart('a-0', segmentAt(world, 'a-0', 1))
    await world.settle()
    expect(world.disk.paths()).not.toContain(first)
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('frees the space in the next run when the process ends first', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    await fill(world, 'a-0', 3)
    world.moveStart('a-0', segmentAt(world, 'a-0', 2))
    await world.settle()
    const retired = () => world.disk.paths().filter((path) => path.endsWith('.deleted'))
    expect(retired()).not.toEqual([])
    await world.close()
    world.crash()
    expect(await restarted(world)).toEqual([])
    expect(retired()).toEqual([])
  })
})

describe('a change of the flush mode', () => {
  it('waits for the one before', async () => {
    const world = await worldWith({ 'a-0': 'async' })
    let checkpoints = 0
    world.disk.delay = (operation, path) => {
      if (operation !== 'rename' || !path.endsWith('naru-checkpoint.tmp')) return 0
      return ++checkpoints > 1 ? 1_000 : 20
    }
    const log = world.log('a-0')
    void world.directory.setFlushMode(log, 'ack')
    await world.until(() => checkpoints === 1)
    void world.directory.setFlushMode(log, 'async')
    world.append('a-0')
    await world.until(() => checkpoints > 1)
    await world.clock.drive(world.clock.pause(100))
    world.crash()
    expect(await restarted(world)).toEqual([])
  })
})

describe('the journal', () => {
  it.each(seeds)('takes batches larger than its files again and again, seed %i', async (seed) => {
    const world = await worldWith({ 'a-0': 'ack' }, { seed })
    for (let i = 0; i < 4; i++) {
      world.append('a-0', { valueBytes: 30_000 })
      await world.clock.step()
      // Comes while the first is being written: no idle round takes another file in between.
      world.append('a-0', { valueBytes: 30_000 })
      await world.confirmed()
    }
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it.each(seeds)('takes over a file whose name was not durable, seed %i', async (seed) => {
    const world = await worldWith({ 'a-0': 'ack' }, { seed })
    world.disk.delay = (operation, path) =>
      operation === 'sync' && path.endsWith('.journal') ? 1_000 : 0
    while (!world.disk.paths().includes('/data/.journal/journal-4')) {
      world.append('a-0', { valueBytes: 40_000 })
      await world.run(12)
    }
    world.crash()
    expect(await restarted(world)).toEqual([])
    for (let i = 0; i < 16; i++) {
      world.append('a-0')
      await world.confirmed()
    }
    world.losePower()
    expect(await restarted(world)).toEqual([])
  })
})

describe('a flush', () => {
  it('claims whole rounds', async () => {
    const world = await worldWith({ 'a-0': 'ack' }, { dirtyBytesMax: flushAtOnce })
    await fill(world, 'a-0', 2)
    await world.quiet()
    world.disk.delay = (operation, path) =>
      operation === 'sync' && path === world.log('a-0').activeSegment.path ? 1_000 : 0
    // One round of two runs: the second one begins a segment.
    while (world.log('a-0').segments.length < 3) world.append('a-0')
    await world.confirmed()
    await world.clock.drive(world.clock.pause(40))
    await world.clock.drive(world.directory.checkpoint())
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it.each(['ack', 'async'] as const)('is awaited by a clean stop, mode %s', async (mode) => {
    const world = await worldWith({ 'a-0': mode }, { dirtyBytesMax: flushAtOnce })
    world.disk.delay = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? 2_000 : 0
    world.append('a-0')
    await world.confirmed()
    await world.close()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it.each(seeds)('that fails is in no later checkpoint, seed %i', async (seed) => {
    const world = await worldWith({ 'a-0': 'ack' }, { seed, dirtyBytesMax: flushAtOnce })
    world.mayFail = true
    world.disk.delay = (operation, path) =>
      operation === 'rename' && path.endsWith('naru-checkpoint.tmp') ? 100 : 0
    // Two that wait for the first: after that, one is written, and then another one at once.
    world.checkpoint()
    await world.run(3)
    world.checkpoint()
    world.checkpoint()
    await world.clock.drive(world.clock.pause(150))
    world.disk.fault = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? 'EIO' : undefined
    world.append('a-0')
    await world.until(() => world.offline !== undefined)
    await world.settle()
    world.disk.fault = () => undefined
    world.crash()
    expect(await restarted(world)).toEqual([])
    world.losePower()
    expect(await restarted(world)).toEqual([])
  })
})

describe('a clean stop', () => {
  it.each(seeds)(
    'may come while a log is made, which the next run makes durable, seed %i',
    async (seed) => {
      const world = await worldWith({}, { seed })
      world.disk.delay = (operation, path) =>
        operation === 'sync' && path === '/data/a-0' ? 10_000 : 0
      world.create('a-0', 'ack', 0)
      await world.until(() => world.disk.paths().includes('/data/a-0/partition.metadata'))
      await world.close()
      world.crash()
      expect(await restarted(world)).toEqual([])
      world.append('a-0')
      await world.confirmed()
      world.losePower()
      expect(await restarted(world)).toEqual([])
    },
  )

  it('waits for the checkpoint that is being written', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    world.disk.delay = (operation, path) =>
      operation === 'write' && path.endsWith('naru-checkpoint.tmp') ? 100 : 0
    world.beginClose()
    await world.run(2)
    world.checkpoint()
    await world.settle()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('acknowledges nothing that its checkpoint does not hold', async () => {
    const world = await worldWith({ 'a-0': 'ack', 'b-0': 'ack' })
    world.append('a-0')
    await world.confirmed()
    world.disk.delay = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? 100 : 0
    world.beginClose()
    await world.run(2)
    world.append('b-0')
    await world.settle()
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it('leaves no snapshot of what was not acknowledged to a start that would trust it', async () => {
    const world = await worldWith({ 'a-0': 'ack' })
    world.append('a-0')
    await world.confirmed()
    // Held back until the stop, as by a change of the flush mode that waits for the disk.
    world.log('a-0').isHeld = true
    while (world.log('a-0').segments.length < 3) world.append('a-0')
    await world.clock.drive(world.directory.close())
    world.crash()
    expect(await restarted(world)).toEqual([])
    await fill(world, 'a-0', 4)
    world.crash()
    expect(await restarted(world)).toEqual([])
  })
})

describe('a start', () => {
  it('may be interrupted after it has removed what retention had given up', async () => {
    const world = await worldWith({ 'a-0': 'async' })
    world.disk.delay = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? 60_000 : 0
    await fill(world, 'a-0', 4)
    world.moveStart('a-0', segmentAt(world, 'a-0', 2))
    await world.run(2)
    await world.clock.drive(world.directory.checkpoint())
    world.crash()
    world.disk.delay = () => 0
    world.beginStart()
    await world.until(() => world.disk.paths().includes('/data/naru-checkpoint.tmp'))
    world.crash()
    expect(await restarted(world)).toEqual([])
  })

  it.each(seeds)('trusts no index of a tail that is gone, seed %i', async (seed) => {
    const world = await worldWith({ 'a-0': 'ack' }, { seed })
    world.append('a-0')
    await world.confirmed()
    world.disk.delay = (operation, path) =>
      operation === 'write' && path.includes('.journal/') ? 10_000 : 0
    while (world.log('a-0').segments.length < 2) world.append('a-0')
    await world.until(() => world.disk.paths().some((path) => path.endsWith('.snapshot')))
    world.losePower()
    expect(await restarted(world)).toEqual([])
    world.disk.delay = (_, path) => (path.endsWith('.index.tmp') ? 10_000 : 0)
    await fill(world, 'a-0', 2)
    world.crash()
    expect(await restarted(world)).toEqual([])
    await fill(world, 'a-0', 3)
    await world.quiet()
    world.crash()
    expect(await restarted(world)).toEqual([])
    for (let offset = 0; offset < segmentAt(world, 'a-0', 1); offset++) world.read('a-0', offset)
    await world.settle()
    expect(await world.audit()).toEqual([])
  })
})
