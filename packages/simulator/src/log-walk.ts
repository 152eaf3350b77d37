/** A random walk of one log directory through appends, process crashes and power losses: journal.md 2 and 3. */
import { LogWorld } from './log-world.ts'

/** Throws when anything that was promised does not hold. */
export async function walkLog(seed: number): Promise<void> {
  const world = new LogWorld(seed, { 'a-0': 'ack', 'b-0': 'ack', 'c-0': 'never', 'd-0': 'async' })
  await world.open()
  for (let life = 1; life <= 5; life++) {
    await live(world)
    const isLossy = await end(world)
    await world.open()
    const problems = await world.audit({ isLossy })
    if (problems.length > 0) throw new Error(`after life ${life}: ${problems.join('; ')}`)
  }
}

async function live(world: LogWorld): Promise<void> {
  const names = Object.keys(world.modes)
  const actions = 10 + world.random.below(60)
  for (let i = 0; i < actions; i++) {
    const name = names[world.random.below(names.length)] as string
    if (!world.ledgers.has(name)) await world.openLog(name)
    if (world.random.chance(0.03)) await world.moveStart(name)
    else if (world.random.chance(0.02)) await world.expireAll(name)
    else world.append(name)
    await world.run(world.random.below(12))
  }
}

/** Ends the life of a process: cleanly, by a crash, or by a power loss; also while it recovers. True when power was lost. */
async function end(world: LogWorld): Promise<boolean> {
  let isLossy = false
  const kind = world.random.below(5)
  if (kind === 0) await world.clock.drive(world.directory.close())
  else if (kind < 3) world.disk.crash()
  else {
    world.disk.losePower()
    isLossy = true
  }
  for (let interruptions = world.random.below(3); interruptions > 0; interruptions--) {
    void world.begin()
    await world.run(world.random.below(80))
    if (world.random.chance(0.5)) world.disk.crash()
    else {
      world.disk.losePower()
      isLossy = true
    }
  }
  return isLossy
}
