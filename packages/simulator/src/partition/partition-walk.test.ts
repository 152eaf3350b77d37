// One partition with the real cores and the real decisions of the controller under faults; see partition-walk.ts.
import { expect, it } from 'vitest'
import { walkPartition } from './partition-walk.ts'

const firstSeed = Number(process.env['NARU_SEED'] ?? 1)
const walks = Number(process.env['NARU_WALKS'] ?? 500)

it(`loses nothing, and comes together again, in ${walks} walks from seed ${firstSeed}`, async () => {
  let count = 0
  for (let seed = firstSeed; seed < firstSeed + walks; seed++) {
    await walkPartition(seed).catch((cause: unknown) => {
      throw new Error(`The walk from seed ${seed} failed: ${cause}`, { cause })
    })
    count++
  }
  expect(count).toBe(walks)
}, 600_000)
