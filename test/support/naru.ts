/** The program as people run it: a process of its own, with its exit code and what it printed. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './sources.ts'

const entrance = join(root, 'packages/cli/bin/naru.js')
const runMsMax = 30_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface NaruOptions {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node itself. */
  readonly node?: readonly string[]
}

/** Runs a command to its end. */
export function naru(args: readonly string[], options: NaruOptions = {}): Promise<Ended> {
  const { child, ended } = startNaru(args, options)
  child.stdin.end(options.input ?? '')
  return ended
}

/** Starts a command that somebody goes on talking to. */
export function startNaru(args: readonly string[], { env = {}, node = [] }: NaruOptions = {}) {
  const child = spawn(process.execPath, [...node, entrance, ...args], {
    env: { ...cleanEnvironment(), ...env },
  })
  return watched(child)
}

/** The same on a terminal, as far as the program can tell. */
export function startNaruOnTerminal(args: readonly string[], { env = {} }: NaruOptions = {}) {
  const words = [process.execPath, entrance, ...args].map((word) => `'${word}'`)
  // In the shell's place: dash, which runs it where SHELL is not set, would stay and die of a Ctrl-C itself.
  const child = spawn('script', ['-qec', `exec ${words.join(' ')}`, '/dev/null'], {
    env: { ...cleanEnvironment(), TERM: 'xterm-256color', ...env },
  })
  return watched(child)
}

function watched(child: ChildProcessWithoutNullStreams) {
  const printed = { stdout: '', stderr: '' }
  const wakes = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
      for (const wake of wakes) wake()
    })
  }
  child.stdin.on('error', () => {})
  const timer = setTimeout(() => child.kill('SIGKILL'), runMsMax)
  const ended = once(child, 'close').then(([code]): Ended => {
    clearTimeout(timer)
    return { code, ...printed }
  })
  /** Resolves when it has printed this; rejects when it ends without. */
  const until = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!`${printed.stdout}${printed.stderr}`.includes(text)) return
        wakes.delete(look)
        resolve()
      }
      wakes.add(look)
      look()
      void ended.then((end) => reject(new Error(`No "${text}" in ${JSON.stringify(end)}`)))
    })
  return { child, ended, until, printed }
}

/** Without what a person's shell, or the runner of the tests, says about addresses, colours and folders. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(NARU_|KAFKA_|NO_COLOR$|FORCE_COLOR$|INIT_CWD$|NODE_ENV$|CI$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}
