/** `npm run simulate`: random walks of one component, seed after seed, until one of them breaks a promise. */
import { parseArgs } from 'node:util'
import { components, type Walk } from './components.ts'

interface Options {
  readonly component: string
  readonly walk: Walk
  readonly seed: number
  readonly seeds: number
  readonly seconds: number
}

const usage = `npm run simulate -- --component ${[...components.keys()].join('|')} [--seed 1] [--seeds 500] [--seconds 60]`

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      component: { type: 'string' },
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '500' },
      seconds: { type: 'string', default: 'Infinity' },
    },
  })
  const walk = components.get(values.component ?? '')
  if (walk === undefined) throw new Error(`unknown component ${values.component ?? '(none)'}`)
  const seed = Number(values.seed)
  const seeds = Number(values.seeds)
  const seconds = Number(values.seconds)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`bad seed ${values.seed}`)
  if (!Number.isSafeInteger(seeds) || seeds < 1)
    throw new Error(`bad number of seeds ${values.seeds}`)
  if (!(seconds > 0)) throw new Error(`bad number of seconds ${values.seconds}`)
  return { component: values.component as string, walk, seed, seeds, seconds }
}

/** A failure outside of any promise that the walk awaits is one of the walk all the same. */
function failureOutside(): Promise<never> {
  return new Promise((_, reject) => {
    process.on('uncaughtException', reject)
    process.on('unhandledRejection', reject)
  })
}

async function simulate({ component, walk, seed: first, seeds, seconds }: Options): Promise<void> {
  const within = seconds === Infinity ? '' : `, at most ${seconds} s`
  print(`component ${component}, seeds ${first} to ${first + seeds - 1}${within}`)
  const startedMs = performance.now()
  const elapsed = () => (performance.now() - startedMs) / 1_000
  const outside = failureOutside()
  let seed = first
  let virtualMs = 0
  for (; seed < first + seeds && elapsed() < seconds; seed++) {
    try {
      const summary = await Promise.race([walk(seed), outside])
      virtualMs += summary?.virtualMs ?? 0
      if (seeds === 1 && summary !== undefined) print(`trace ${summary.trace}`)
    } catch (error) {
      print(`violation in seed ${seed}: ${error instanceof Error ? error.message : error}`)
      if (error instanceof Error) print(error.stack ?? '')
      process.exit(1)
    }
  }
  const walks = seed - first
  const rate = `${(walks / elapsed()).toFixed(1)} a second`
  print(`${walks} walks in ${elapsed().toFixed(1)} s, ${rate}${pace(virtualMs)}: no violation`)
}

/** Virtual time, where the walks tell it, and how much of it passes in a second of this process. */
function pace(virtualMs: number): string {
  if (virtualMs === 0) return ''
  const { user, system } = process.cpuUsage()
  const ratio = virtualMs / ((user + system) / 1_000)
  return `, ${(virtualMs / 3_600_000).toFixed(2)} virtual hours, ${ratio.toFixed(0)} times real time per core`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

let options: Options | undefined
try {
  options = readOptions()
} catch (error) {
  process.stderr.write(`simulate: ${(error as Error).message}\nusage: ${usage}\n`)
  process.exitCode = 2
}
if (options !== undefined) await simulate(options)
