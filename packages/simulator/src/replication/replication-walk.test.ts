// Whole clusters with replicated partitions, with their real shells; see replication-walk.ts.
import { expect, it } from 'vitest'
import { walkReplicationChecked } from './replication-walk.ts'

const firstSeed = Number(process.env['NARU_SEED'] ?? 1)
const walks = Number(process.env['NARU_WALKS'] ?? 200)

it(`loses nothing, and comes together again, in ${walks} walks from seed ${firstSeed}`, async () => {
  let count = 0
  for (let seed = firstSeed; seed < firstSeed + walks; seed++) {
    await walkReplicationChecked(seed).catch((cause: unknown) => {
      throw new Error(`The walk from seed ${seed} failed: ${cause}`, { cause })
    })
    count++
  }
  expect(count).toBe(walks)
}, 600_000)
