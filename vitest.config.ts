import { defineConfig } from 'vitest/config'
import { mutate } from './packages/simulator/src/mutations/mutate.ts'
import { mutationNamed } from './packages/simulator/src/mutations/mutations.ts'

const rule = process.env['NARU_MUTATION']

/** The mutation board runs tests with a rule taken away. */
function mutationPlugin(name: string) {
  const mutation = mutationNamed(name)
  return {
    name: 'mutation',
    enforce: 'pre' as const,
    transform: (code: string, id: string) =>
      id.endsWith(`/${mutation.file}`) ? mutate(code, mutation) : undefined,
  }
}

const plugins = rule === undefined ? [] : [mutationPlugin(rule)]

export default defineConfig({
  test: {
    // A kept module would be one without its rule, or without another.
    fsModuleCache: rule === undefined,
    projects: [
      { plugins, test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'] } },
      { test: { name: 'tidy', include: ['test/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'compatibility',
          include: ['test/compatibility/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
