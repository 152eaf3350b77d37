import { expect, it } from 'vitest'
import { components } from './components.ts'

const walks = 40

it(`loses nothing that was acknowledged in ${walks} walks`, async () => {
  const walk = components.get('log')
  for (let seed = 1; seed <= walks; seed++) {
    await expect(walk?.(seed), `seed ${seed}`).resolves.toBeUndefined()
  }
}, 120_000)
