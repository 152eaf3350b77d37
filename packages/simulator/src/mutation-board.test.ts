// What the board says before it takes anything away.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const board = fileURLToPath(new URL('./mutation-board.ts', import.meta.url))

function run(...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [board, ...args], {
    encoding: 'utf8',
  })
  return { out: stdout.trimEnd().split('\n'), err: stderr.trimEnd().split('\n'), status }
}

it.each(['--help', '-h'])('shows its usage for %s', (option) => {
  const usage = expect.stringMatching(/^usage: npm run mutations -- \[--component cluster\|/)
  expect(run(option)).toEqual({ out: [usage], err: [''], status: 0 })
})

it.each([
  [['--sedes', '5'], "mutations: Unknown option '--sedes'"],
  [['raft'], "mutations: Unexpected argument 'raft'"],
  [['--seeds'], "mutations: Option '--seeds <value>' argument missing"],
  [['--seeds', 'x'], 'mutations: bad number of seeds x'],
  [['--seconds', '0'], 'mutations: bad number of seconds 0'],
  [['--component', 'rfat'], 'mutations: unknown component rfat'],
])('refuses %j in one sentence and with its usage', (args, why) => {
  const { out, err, status } = run(...args)
  expect({ out, status }).toEqual({ out: [''], status: 2 })
  expect(err[0]).toContain(why)
  expect(err[1]).toMatch(/^usage: /)
  expect(err).toHaveLength(2)
})
