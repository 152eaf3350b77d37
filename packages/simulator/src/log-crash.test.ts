// Random walks of one log directory through appends, process crashes and power losses: journal.md 2 and 3.
import { expect, it } from 'vitest'
import { LogWorld } from './log-world.ts'

const walks = Number(process.env['NARU_WALKS'] ?? 40)
const firstSeed = Number(process.env['NARU_SEED'] ?? 1)

async function walk(seed: number): Promise<void> {
  const world = new LogWorld(seed, { 'a-0': 'ack', 'b-0': 'ack', 'c-0': 'never', 'd-0': 'async' })
  const names = Object.keys(world.modes)
  await world.open()
  for (let life = 0; life < 5; life++) {
    const actions = 10 + world.random.below(60)
    for (let i = 0; i < actions; i++) {
      const name = names[world.random.below(names.length)] as string
      if (!world.ledgers.has(name)) await world.openLog(name)
      if (world.random.chance(0.03)) await world.moveStart(name)
      else if (world.random.chance(0.02)) await world.expireAll(name)
      else world.append(name)
      await world.run(world.random.below(12))
    }
    const isLossy = await end(world)
    await world.open()
    expect(await world.audit({ isLossy }), `seed ${seed}, life ${life}`).toEqual([])
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

it(`loses nothing that was acknowledged in ${walks} walks from seed ${firstSeed}`, async () => {
  for (let seed = firstSeed; seed < firstSeed + walks; seed++) {
    await walk(seed).catch((cause: unknown) => {
      throw new Error(`The walk from seed ${seed} failed: ${cause}`, { cause })
    })
  }
}, 600_000)
