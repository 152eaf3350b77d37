// A few walks of each component: long runs are for `npm run simulate`.
import { expect, it } from 'vitest'
import { components } from './components.ts'

it.each([
  ['log', 40],
  ['log-faults', 25],
])(
  '%s keeps its promises in %i walks',
  async (component, walks) => {
    const walk = components.get(component)
    for (let seed = 1; seed <= walks; seed++) {
      await expect(walk?.(seed), `seed ${seed}`).resolves.toBeUndefined()
    }
  },
  120_000,
)
