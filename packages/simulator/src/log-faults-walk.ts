/**
 * A random walk of one log directory on a disk that fails: an operation returns an error, and nothing may be acknowledged any
 * more; then a bit flips or the end of a file is gone, and what that took must be reported, never served.
 */
import { batchHeaderBytes, batchSizeAt } from '@naru/records'
import { interrupt, live } from './log-walk.ts'
import { type Excuse, LogWorld } from './log-world.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import type { SimulatedFile } from './simulated-file.ts'

const lives = 3

/** Throws when anything that was promised does not hold. */
export async function walkLogFaults(seed: number): Promise<void> {
  const world = new LogWorld(seed)
  await world.open()
  for (let life = 1; life <= lives; life++) {
    await live(world)
    await failOnce(world)
    interrupt(world, { isPowerLost: world.random.chance(0.5) })
    if (world.random.chance(0.3)) await startInVain(world)
    world.mayFail = false
    await world.open()
    check(`after the failure of life ${life}`, await world.audit())
  }
  await live(world)
  await damage(world)
}

function check(when: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(`${when}: ${problems.join('; ')}`)
}

/** One operation of the disk fails. From then on the directory is offline, and the disk works again. */
async function failOnce(world: LogWorld): Promise<void> {
  const { disk } = world
  world.mayFail = true
  armFault(world)
  await live(world, () => disk.failures.length > 0)
  if (disk.failures.length === 0) await world.quiet()
  disk.fault = () => undefined
  if (disk.failures.length === 0) return
  if (world.offline === undefined) throw new Error(`${disk.failures} went unnoticed`)
  await live(world)
  await world.run(200)
}

/** A start that meets an error must not end as if all were well. */
async function startInVain(world: LogWorld): Promise<void> {
  armFault(world)
  world.beginStart()
  await world.run(world.random.below(400))
  world.disk.fault = () => undefined
  interrupt(world, { isPowerLost: world.random.chance(0.5) })
}

const faultyParts = ['', '.journal/journal-', '.log', 'naru-checkpoint', '.snapshot', '-0']

function armFault({ disk, random, directory }: LogWorld): void {
  const operation = random.pick(['write', 'write', 'sync', 'sync', 'rename', 'truncate', 'remove'])
  const part = random.pick(faultyParts)
  const code = random.pick(['EIO', 'ENOSPC'])
  let left = random.below(20)
  const isStarting = directory.offline !== undefined
  disk.fault = (what, path) => {
    // A journal that cannot grow stays as it is.
    const isGrowth = /\.journal(\/.*\.new)?$/.test(path) && !isStarting
    if (what !== operation || !path.includes(part) || isGrowth || left < 0) return undefined
    return left-- === 0 ? code : undefined
  }
}

interface Spot {
  readonly what: string
  /** What the damage explains, log by log. */
  readonly excuse: (name: string) => Excuse
}

/** Ends the process at a moment when everything acknowledged is witnessed, damages one file, and starts it again. */
async function damage(world: LogWorld): Promise<void> {
  await world.settle()
  await world.confirmed()
  const spot = world.random.chance(0.2) ? await cutEnd(world) : await flipBit(world)
  await world.open()
  check(spot.what, await world.audit(spot.excuse))
  await expectStillReported(world, spot.what)
}

/** A segment ends before what a checkpoint says, and the journal goes on behind it. */
async function cutEnd(world: LogWorld): Promise<Spot> {
  const names = [...world.directory.logs.keys()].filter((name) => world.isJournaled(name))
  await world.quiet()
  if (names.length === 0) return flipBit(world)
  const name = world.random.pick(names)
  const log = world.log(name)
  const { segmentBaseOffset, position } = log.writtenEnd
  const path = log.segmentOf(segmentBaseOffset).path
  for (let count = world.random.below(4); count > 0; count--) world.append(name)
  await world.confirmed()
  interrupt(world, { isPowerLost: world.random.chance(0.5) })
  if (position === 0) return { what: 'nothing to cut', excuse: () => 'nothing' }
  const end = world.random.below(position)
  world.disk.file(path)?.cut(end)
  const excuse = (each: string) => (each === name ? 'flagged loss' : 'nothing')
  return { what: `cut at ${end} of ${path}`, excuse }
}

async function flipBit(world: LogWorld): Promise<Spot> {
  const { random, disk } = world
  const isJournaled = new Set(
    [...world.directory.logs.keys()].filter((name) => world.isJournaled(name)),
  )
  const witness = random.pick(['idle', 'idle', 'checkpoint', 'close'])
  // Long enough for a checkpoint that makes room for the witness, on a slow disk.
  if (witness === 'idle') await world.clock.drive(world.clock.pause(500))
  else if (witness === 'checkpoint') await world.clock.drive(world.directory.checkpoint())
  else await world.close()
  interrupt(world, { isPowerLost: random.chance(0.5) })
  const isClosed = witness === 'close'
  const { path, position } = somewhere(disk, random)
  const bit = random.below(8)
  disk.file(path)?.flip(position, bit)
  return {
    what: `bit ${bit} of byte ${position} of ${path} after ${witness}`,
    excuse: (name) => excuseFor(path, name, isClosed || isJournaled.has(name)),
  }
}

/** What the damage of a file explains: the loss of what lies in it, when that is said. */
function excuseFor(path: string, name: string, isDurable: boolean): Excuse {
  if (path.endsWith('/naru-checkpoint')) return 'flagged loss'
  if (path.includes('/.journal/')) return isDurable ? 'reported loss' : 'nothing'
  if (!path.startsWith(`/data/${name}/`)) return 'nothing'
  if (path.endsWith('/partition.metadata')) return 'any loss'
  return isDurable ? 'reported loss' : 'any loss'
}

/** A log that is damaged stays so: nobody has been told yet. */
async function expectStillReported(world: LogWorld, when: string): Promise<void> {
  const damaged = [...world.directory.logs.values()].filter((log) => log.isDamaged)
  if (world.random.chance(0.5)) await world.clock.drive(world.directory.checkpoint())
  if (world.random.chance(0.5)) await world.close()
  interrupt(world, { isPowerLost: world.random.chance(0.5) })
  await world.open()
  for (const { name } of damaged) {
    if (!world.log(name).isDamaged) throw new Error(`${when}: ${name} is said to be whole again`)
  }
}

/** A byte of a random file, more often where it matters. */
function somewhere(disk: SimulatedDisk, random: SeededRandom): { path: string; position: number } {
  const write = random.pick(disk.newestWrites)
  if (write !== undefined && random.chance(0.3)) {
    const part = random.pick([200, write.lengthBytes])
    return { path: write.path, position: write.position + random.below(part) }
  }
  const kind = random.pick([
    /\/journal-\d+$/,
    /\.log$/,
    /\.log$/,
    /\/naru-checkpoint$/,
    /\/partition\.metadata$/,
  ])
  const paths = disk.paths().filter((path) => kind.test(path) && disk.file(path)?.cached.length)
  if (paths.length === 0) return { path: '', position: 0 }
  const path = random.pick(paths)
  const content = (disk.file(path) as SimulatedFile).cached
  const isHeader = path.endsWith('.log') && random.chance(0.5)
  const position = isHeader
    ? random.pick(batchPositions(content)) + random.below(batchHeaderBytes)
    : random.below(content.length)
  return { path, position }
}

/** Where batches begin in a segment. */
export function batchPositions(segment: Buffer): number[] {
  const positions = [0]
  for (let at = 0; at + batchHeaderBytes <= segment.length; ) {
    const size = batchSizeAt(segment, at)
    if (size < batchHeaderBytes) break
    at += size
    if (at < segment.length) positions.push(at)
  }
  return positions
}
