// Walks of each component: long runs are for `npm run simulate`.
import { expect, it } from 'vitest'
import { components } from './components.ts'

it.each([
  ['log', 500],
  ['log-faults', 500],
])(
  '%s keeps its promises in %i walks',
  async (component, walks) => {
    const walk = components.get(component)
    for (let seed = 1; seed <= walks; seed++) {
      await expect(walk?.(seed), `seed ${seed}`).resolves.toBeUndefined()
    }
  },
  600_000,
)
