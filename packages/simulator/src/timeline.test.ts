// The timeline on a disk that tears, forgets and fails: what happened is told once and in order, or its absence is.
import { type Logger, silentLogger } from '@naru/base'
import { describe, expect, it } from 'vitest'
import {
  numbers,
  TimelineTrial,
  type TimelineWorld,
  timelineContract,
} from '../../consensus/src/timeline/timeline.contract.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'

function simulatedWorld(random = new SeededRandom(7)) {
  const clock = new SimulatedClock()
  const disk = new SimulatedDisk(clock, random)
  const world: TimelineWorld = {
    fileSystem: disk,
    directory: '/timeline',
    clock,
    drive: (promise) => clock.drive(promise),
  }
  return { clock, disk, world }
}

describe('on a simulated disk', () => {
  timelineContract(() => simulatedWorld().world)
})

describe('an error of the disk', () => {
  async function trialOf(logged: unknown[] = [], bytesMax = 64 << 20) {
    const { disk, world } = simulatedWorld()
    const note = (event: string) => void logged.push(event)
    const logger: Logger = { ...silentLogger, warn: note, info: note }
    const trial = new TimelineTrial(world, { segmentBytes: 500, bytesMax }, logger)
    await trial.start({ isEmpty: true })
    return { disk, trial }
  }

  it.each(['write', 'open', 'remove', 'make directory'])(
    'on %s is logged once, is a gap, and is over when the disk works again',
    async (operation) => {
      const logged: unknown[] = []
      const { disk, trial } = await trialOf(logged, operation === 'remove' ? 2_000 : undefined)
      if (operation !== 'make directory') await trial.write(1, 3)
      disk.fault = (each) => (each === operation ? 'ENOSPC' : undefined)
      for (let index = 4; index <= 40; index++) {
        trial.apply(index)
        await trial.write()
        trial.nowMs += 7_000
      }
      const failing = await trial.told().catch(() => [])
      disk.fault = () => undefined
      trial.nowMs += 60_000
      await trial.write(41, 42)
      const told = await trial.told()
      expect(logged).toEqual(['timeline-incomplete', 'timeline-resumed'])
      expect(told.at(-3)).toMatch(/-40 disk$/)
      expect(failing.at(-1)).toBe(operation === 'open' ? undefined : told.at(-3))
      expect(told.slice(-2)).toEqual(['41', '42'])
      await trial.close(42)
      await trial.start()
      expect(await trial.told()).toEqual(told)
    },
  )

  it('at the start is a gap up to where it is over, less what the file turns out to have', async () => {
    const { disk, trial } = await trialOf()
    await trial.write(1, 5)
    disk.fault = (operation) => (operation === 'list' ? 'EIO' : undefined)
    await trial.start()
    trial.apply(1, 7)
    expect(await trial.told()).toEqual(['1-7 disk'])
    disk.fault = () => undefined
    trial.nowMs += 60_000
    trial.apply(8)
    await trial.close(8)
    expect(await trial.told()).toEqual([...numbers(1, 5), '6-7 disk', '8'])
  })

  it('at the start is nothing where the file turns out to have it all', async () => {
    const { disk, trial } = await trialOf()
    await trial.write(1, 3)
    const { sizeBytes: three } = await trial.newest()
    await trial.write(4, 5)
    disk.fault = (operation) => (operation === 'list' ? 'EIO' : undefined)
    await trial.start()
    trial.apply(1, 3)
    disk.fault = () => undefined
    trial.nowMs += 60_000
    trial.apply(4, 6)
    await trial.close(6)
    expect(await trial.told()).toEqual(numbers(1, 6))
    const files = await trial.files()
    expect(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(2 * three)
  })

  it('that is slow keeps a bounded number of events', async () => {
    const { disk, trial } = await trialOf()
    disk.delay = (operation) => (operation === 'write' ? 5_000 : 0)
    trial.apply(1, 80, 1_000)
    disk.delay = () => 0
    await trial.write()
    trial.apply(81)
    await trial.close(81)
    const told = [...new Set(await trial.told())]
    expect(told).toEqual([...numbers(1, 66), '67-80 overload', '81'])
  })
})

/** Lives of one voter: the log is whole, the file may be anything; and its last words, read to the end. */
async function walk(seed: number): Promise<void> {
  const random = new SeededRandom(seed)
  const { clock, disk, world } = simulatedWorld(random.split())
  const limits = {
    segmentBytes: random.pick([300, 2_000]),
    bytesMax: random.pick([1_500, 100_000]),
  }
  const trial = new TimelineTrial(world, limits)
  /** By index, how many events an entry has. */
  const log: number[] = [0]
  let snapshot = 0
  const apply = (index: number) => trial.apply(index, index, log[index] ?? 0)
  await trial.start({ isEmpty: true })
  const lives = 1 + random.below(5)
  for (let life = 0; life < lives; life++) {
    for (let steps = random.below(60); steps > 0; steps--) {
      trial.isVoter = random.chance(0.02) ? !trial.isVoter : trial.isVoter
      disk.fault = random.chance(0.05) ? () => 'EIO' : () => undefined
      log.push(random.pick([0, 1, 1, 2, 300]))
      apply(log.length - 1)
      if (random.chance(0.1)) {
        snapshot = log.length - 1
        trial.timeline.passed(BigInt(snapshot))
      }
      if (random.chance(0.5)) await clock.drive(clock.pause(random.below(300)))
      trial.nowMs += random.pick([1, 1_000, 70_000])
    }
    disk.fault = () => undefined
    const end = random.pick(['close', 'crash', 'power'])
    if (end === 'close') await trial.close(log.length - 1)
    else if (end === 'crash') disk.crash()
    else disk.losePower()
    await trial.start()
    trial.isVoter = true
    trial.timeline.restored(BigInt(snapshot))
    for (let index = snapshot + 1; index < log.length; index++) apply(index)
    const isForgetful = random.chance(0.3)
    await trial.write()
    const items = await trial.read(1, { limit: random.pick([1, 50]), isForgetful: false })
    expect(problemsOf(items, log), `seed ${seed}, life ${life}`).toEqual([])
    if (isForgetful) await trial.read(random.below(log.length), { limit: 400, isForgetful: true })
  }
  await trial.close(log.length - 1)
}

function problemsOf(
  items: Awaited<ReturnType<TimelineTrial['read']>>,
  log: readonly number[],
): string[] {
  const problems: string[] = []
  let index = 0
  let count = 0
  /** Everything up to `next` must have been told by now. */
  const pass = (next: number) => {
    for (; index < next; index++, count = 0) {
      if (count !== (log[index] ?? 0)) problems.push(`${index}: ${count} of ${log[index]}`)
    }
  }
  for (const item of items) {
    if (item.kind === 'events') {
      const at = Number(item.index)
      if (at < index) problems.push(`${at} after ${index}`)
      pass(at)
      for (const event of item.events) {
        const topic = 'topic' in event ? event.topic : ''
        if (topic !== `topic-${at}-${count++}`) problems.push(`${at}: ${topic}`)
      }
    } else {
      const [from, to] = [Number(item.fromIndex), Number(item.index)]
      if (from < index) problems.push(`gap ${from} after ${index}`)
      pass(from)
      index = to + 1
      count = 0
    }
  }
  pass(log.length)
  return problems
}

it('tells everything once, or that it cannot, whatever becomes of processes and disk', async () => {
  for (let seed = 1; seed <= 60; seed++) await walk(seed)
}, 60_000)
