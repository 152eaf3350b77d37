// What random walks have found, made to happen at will.
import { describe, expect, it } from 'vitest'
import { LogWorld } from './log-world.ts'

const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }
const flushNothing = { ack: 1 << 20, async: 1 << 20, never: 1 << 20 }
const flushAtOnce = { ack: 1, async: 1, never: 1 }

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
})
