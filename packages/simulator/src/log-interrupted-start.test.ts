// A start may be cut off at any step, and what it relied on must still be so at the next one (journal.md 3).
import { expect, it } from 'vitest'
import { LogWorld } from './log-world.ts'

const seeds = Array.from({ length: 30 }, (_, index) => index + 1)
const temporary = '/data/naru-checkpoint.tmp'

/** A checkpoint with a later start of the log lies in the page cache only: the process died before its name was durable. */
async function worldWithCheckpointInCache(seed: number): Promise<LogWorld> {
  const world = new LogWorld(seed)
  await world.open()
  world.create('a-0', 'ack', 0)
  await world.settle()
  for (let i = 0; i < 80; i++) {
    world.append('a-0')
    await world.run(4)
  }
  await world.confirmed()
  await world.quiet()
  world.mayFail = true
  let isRenamed = false
  world.disk.fault = (operation, path) => {
    if (operation === 'rename' && path === temporary) isRenamed = true
    return isRenamed && operation === 'sync' && path === '/data' ? 'EIO' : undefined
  }
  world.expireAll('a-0')
  await world.until(() => world.offline !== undefined)
  world.crash()
  return world
}

it.each(seeds)(
  'the checkpoint that a start reads stays when the power goes (seed %i)',
  async (seed) => {
    const world = await worldWithCheckpointInCache(seed)
    let hasRecovered = false
    world.disk.fault = (operation, path) => {
      hasRecovered ||= operation === 'remove' && path === temporary
      return undefined
    }
    world.beginStart()
    await world.until(() => hasRecovered)
    world.losePower()
    world.disk.fault = () => undefined
    await world.open()
    expect(await world.audit()).toEqual([])
  },
)
