/**
 * A random walk of one log directory on a disk that fails: an operation returns an error, and nothing may be acknowledged any
 * more; then a bit flips or the end of a file is gone, and what that took must be reported, never served.
 */
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
  const operation = random.pick(['write', 'write', 'sync', 'sync', 'rename'])
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

/** Ends the process at a moment when everything acknowledged is witnessed, then damages one file. */
async function damage(world: LogWorld): Promise<void> {
  const { random, disk } = world
  await world.settle()
  await world.confirmed()
  const isJournaled = new Set(
    [...world.directory.logs].filter(([, log]) => log.flushMode === 'ack').map(([name]) => name),
  )
  const witness = random.pick(['idle', 'idle', 'checkpoint', 'close'])
  // Long enough for a checkpoint that makes room for the witness, on a slow disk.
  if (witness === 'idle') await world.clock.drive(world.clock.pause(500))
  else if (witness === 'checkpoint') await world.clock.drive(world.directory.checkpoint())
  else await world.close()
  interrupt(world, { isPowerLost: random.chance(0.5) })
  const spot = damageSomewhere(disk, random)
  const when = `${spot.what} after ${witness}`
  await world.open()
  const isClosed = witness === 'close'
  check(
    when,
    await world.audit((name) => excuse(spot.path, name, isClosed || isJournaled.has(name))),
  )
  await expectStillReported(world, when)
}

/** What the damage of a file explains: the loss of what lies in it, when that is said. */
function excuse(path: string, name: string, isDurable: boolean): Excuse {
  if (path.endsWith('/naru-checkpoint')) return 'reported loss'
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

function damageSomewhere(
  disk: SimulatedDisk,
  random: SeededRandom,
): { path: string; what: string } {
  const kind = random.pick([
    /\/journal-\d+$/,
    /\/journal-\d+$/,
    /\.log$/,
    /\/naru-checkpoint$/,
    /\/partition\.metadata$/,
  ])
  const paths = disk.paths().filter((path) => kind.test(path) && disk.file(path)?.cached.length)
  if (paths.length === 0) return { path: '', what: 'nothing damaged' }
  const path = random.pick(paths)
  const file = disk.file(path) as SimulatedFile
  const position = random.below(file.cached.length)
  const folder = path.slice(0, path.lastIndexOf('/'))
  const isLast =
    path ===
    paths
      .filter((each) => each.startsWith(folder))
      .sort()
      .at(-1)
  if (path.endsWith('.log') && isLast && random.chance(0.5)) {
    file.cut(position)
    return { path, what: `cut at ${position} of ${path}` }
  }
  file.flip(position, random.below(8))
  return { path, what: `bit at ${position} of ${path}` }
}
