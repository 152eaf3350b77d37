/**
 * `npm run mutations`: takes each rule away in turn and sees after how many walks anybody notices. A rule whose absence the walks
 * cannot see names the tests that do. With --write the table goes into docs/TESTING.md.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Mutation } from './mutations/mutation.ts'
import { mutations } from './mutations/mutations.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = `${root}docs/TESTING.md`
const marks = ['<!-- mutations -->\n', '<!-- /mutations -->\n'] as const

const names = [...mutations.keys()].join('|')
const usage = `npm run mutations -- [--component ${names}] [--only PART-OF-A-RULE] [--seeds 20000] [--seconds 120] [--write]`

interface Options {
  /** Undefined: all of them. */
  readonly component: string | undefined
  readonly only: string
  readonly seeds: string
  readonly seconds: string
  readonly write: boolean
}

/** Undefined where only the usage is wanted. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      component: { type: 'string' },
      only: { type: 'string', default: '' },
      seeds: { type: 'string', default: '20000' },
      seconds: { type: 'string', default: '120' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { help, component, ...rest } = values
  if (help) return undefined
  if (component !== undefined && !mutations.has(component))
    throw new Error(`unknown component ${component}`)
  if (!Number.isSafeInteger(Number(rest.seeds)) || Number(rest.seeds) < 1)
    throw new Error(`bad number of seeds ${rest.seeds}`)
  if (!(Number(rest.seconds) > 0)) throw new Error(`bad number of seconds ${rest.seconds}`)
  return { component, ...rest }
}

interface Row {
  readonly component: string
  readonly rule: string
  /** Undefined: nobody noticed. */
  readonly caught: string | undefined
}

function run(component: string, mutation: Mutation, options: Options): Row {
  const { rule, shownBy } = mutation
  const env = { ...process.env, NARU_MUTATION: rule }
  const caught = shownBy === undefined ? byWalks(component, env, options) : byTests(shownBy, env)
  process.stdout.write(`${caught === undefined ? '✗' : '✓'} ${rule}: ${caught ?? 'not noticed'}\n`)
  return { component, rule, caught }
}

function byWalks(
  component: string,
  env: NodeJS.ProcessEnv,
  { seeds, seconds }: Options,
): string | undefined {
  const apply = fileURLToPath(new URL('./mutations/apply.ts', import.meta.url))
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const walk = ['--component', component, '--seed', '1', '--seeds', seeds, '--seconds', seconds]
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', apply, main, ...walk],
    {
      encoding: 'utf8',
      env,
    },
  )
  const found = /^violation in seed (\d+): (.*)$/m.exec(stdout)
  if (found === null && status !== 0) throw new Error(`The walks do not run: ${stderr}`)
  if (found === null) return undefined
  return `${found[1]} walks: ${(found[2] as string).slice(0, 70)}`
}

/** The sources are mutated by the plugin in vitest.config.ts. */
function byTests(path: string, env: NodeJS.ProcessEnv): string | undefined {
  const vitest = `${root}node_modules/.bin/vitest`
  const args = [vitest, 'run', '--project', 'unit', path]
  const { status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })
  return status === 0 ? undefined : `tests in ${path}`
}

/** A test that fails by itself notices nothing. */
function requireGreen(list: readonly Mutation[]): void {
  const { NARU_MUTATION: _, ...env } = process.env
  for (const path of new Set(list.flatMap(({ shownBy }) => shownBy ?? []))) {
    if (byTests(path, env) !== undefined) throw new Error(`The tests in ${path} fail as they are`)
  }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ component, rule, caught }) => `| ${component} | ${rule} | ${caught ?? '**not noticed**'} |`,
  )
  return ['| part | rule taken away | noticed after |', '| --- | --- | --- |', ...lines, ''].join(
    '\n',
  )
}

function write(rows: readonly Row[]): void {
  const text = readFileSync(page, 'utf8')
  const [before = '', rest = ''] = text.split(marks[0])
  const after = rest.split(marks[1])[1] ?? ''
  writeFileSync(page, `${before}${marks[0]}${table(rows)}${marks[1]}${after}`)
}

function board(options: Options): void {
  const rows: Row[] = []
  for (const [component, list] of mutations) {
    if (options.component !== undefined && options.component !== component) continue
    requireGreen(list)
    for (const mutation of list)
      if (mutation.rule.includes(options.only)) rows.push(run(component, mutation, options))
  }
  if (options.write) write(rows)
  const missed = rows.filter(({ caught }) => caught === undefined).length
  process.stdout.write(`${rows.length - missed} noticed, ${missed} not\n`)
  process.exitCode = missed === 0 ? 0 : 1
}

let options: Options | undefined
try {
  options = readOptions()
  if (options === undefined) process.stdout.write(`usage: ${usage}\n`)
} catch (error) {
  process.stderr.write(`mutations: ${(error as Error).message}\nusage: ${usage}\n`)
  process.exitCode = 2
}
if (options !== undefined) board(options)
