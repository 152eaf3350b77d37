/**
 * A random walk of one log directory: logs are made, filled, read, shortened, switched and deleted, all at once, while the
 * process crashes and the power fails at any moment, starts included. The rules under test: docs/JOURNAL.md.
 */
import { LogWorld } from './log-world.ts'

const lives = 5

/** Throws when anything that was promised does not hold. */
export async function walkLog(seed: number): Promise<void> {
  const world = new LogWorld(seed)
  await world.open()
  for (let life = 1; life <= lives; life++) {
    await live(world)
    await end(world)
    await world.open()
    const problems = await world.audit()
    if (problems.length > 0) throw new Error(`after life ${life}: ${problems.join('; ')}`)
  }
}

type Action = (world: LogWorld, name: string) => void | Promise<void>

/** What may happen next, and how often. */
const actions: readonly (readonly [weight: number, action: Action])[] = [
  [60, (world, name) => world.append(name)],
  [3, (world, name) => world.append(name, { valueBytes: 8_000 })],
  [6, appendToAll],
  [5, (world, name) => world.read(name)],
  [4, (world, name) => world.moveStart(name)],
  [2, (world, name) => world.expireAll(name)],
  [3, (world, name) => world.switchMode(name)],
  [3, (world, name) => world.truncate(name)],
  [1, restart],
  [2, (world, name) => world.delete(name)],
  [3, (world) => world.checkpoint()],
  [1, (world) => world.quiet()],
]
/** With nine, the table of a round is longer than a sector. */
const allNames = ['a-0', 'b-0', 'c-0', 'd-0', 'e-0', 'f-0', 'g-0', 'h-0', 'i-0']
const totalWeight = actions.reduce((sum, [weight]) => sum + weight, 0)

/** Some random things happen, faster or slower than the disk can follow. */
export async function live(world: LogWorld, isOver = () => false): Promise<void> {
  const names = allNames.slice(0, world.random.pick([2, 3, 4, 5, 5, 9]))
  const pace = 1 + world.random.below(16)
  for (let count = 10 + world.random.below(60); count > 0 && !isOver(); count--) {
    const name = world.random.pick(names)
    if (!world.ledgers.has(name)) world.create(name)
    else if (world.isLive(name)) await pickAction(world)(world, name)
    await world.run(world.random.below(pace))
  }
}

function pickAction(world: LogWorld): Action {
  let left = world.random.below(totalWeight)
  for (const [weight, action] of actions) {
    if (left < weight) return action
    left -= weight
  }
  return () => {}
}

/** As a follower that has fallen behind the start of its leader's log; or anywhere. */
function restart(world: LogWorld, name: string): void {
  const end = Number(world.log(name).logEndOffset)
  world.restart(
    name,
    world.random.pick([end + world.random.below(50), world.random.below(end + 1)]),
  )
}

/** In one turn: a round of many entries. */
function appendToAll(world: LogWorld): void {
  for (const name of world.ledgers.keys()) {
    for (let i = world.random.below(4); i > 0; i--) if (world.isLive(name)) world.append(name)
  }
}

/** A crash just after one of these is the most telling. */
const moments: readonly (readonly [operation: string, path: RegExp])[] = [
  ['rename', /naru-checkpoint/],
  ['rename', /journal-\d+\.new$/],
  ['rename', /\.log$/],
  ['rename', /\.index/],
  ['rename', /\.snapshot/],
  ['rename', /-0$/],
  ['rename', /partition\.metadata/],
  ['remove', /\.log$/],
  ['truncate', /\.log$/],
  ['sync', /\.log$/],
  ['write', /journal-\d+$/],
]

/** Ends the life of a process: cleanly, by a crash, or by a power loss; then interrupts the next starts too. */
export async function end(world: LogWorld): Promise<void> {
  const kind = world.random.pick(['close', 'closing', 'crash', 'crash', 'power', 'power'])
  if (kind === 'close' && world.random.chance(0.5)) await world.settle()
  if (kind === 'close') await world.close()
  if (kind === 'closing') world.beginClose()
  if (kind !== 'close') await someTime(world, 60)
  interrupt(world, { isPowerLost: kind === 'power' || world.random.chance(0.3) })
  for (let interruptions = world.random.below(3); interruptions > 0; interruptions--) {
    world.beginStart()
    await someTime(world, 200)
    interrupt(world, { isPowerLost: world.random.chance(0.5) })
  }
}

/** Lets things happen until a random moment. */
async function someTime(world: LogWorld, stepsMax: number): Promise<void> {
  const steps = world.random.below(stepsMax)
  if (world.random.chance(0.6)) return world.run(steps)
  const [awaited, path] = world.random.pick(moments)
  let isOver = false
  world.disk.watch = (operation, at) => {
    isOver ||= operation === awaited && path.test(at)
  }
  for (let i = 0; i < stepsMax && !isOver; i++) await world.run(1)
  world.disk.watch = () => {}
}

export function interrupt(world: LogWorld, { isPowerLost }: { isPowerLost: boolean }): void {
  if (isPowerLost) world.losePower()
  else world.crash()
}
