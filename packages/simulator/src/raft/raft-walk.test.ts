// Whole clusters of Raft replicas under faults; see raft-walk.ts.
import { expect, it } from 'vitest'
import { walkRaft } from './raft-walk.ts'

const firstSeed = Number(process.env['NARU_SEED'] ?? 1)
const walks = Number(process.env['NARU_WALKS'] ?? 500)

it(`is safe, and comes together again, in ${walks} walks from seed ${firstSeed}`, async () => {
  let count = 0
  for (let seed = firstSeed; seed < firstSeed + walks; seed++) {
    await walkRaft(seed).catch((cause: unknown) => {
      throw new Error(`The walk from seed ${seed} failed: ${cause}`, { cause })
    })
    count++
  }
  expect(count).toBe(walks)
}, 600_000)
