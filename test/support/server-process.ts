/** One life of a broker's process: from its start to its exit. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { root } from './sources.ts'

/** `naru start` */
const thisVersion = [join(root, 'packages/cli/bin/naru.js'), 'start']
const linesMax = 50_000
const reportedLines = 60

export interface Readiness {
  readonly nodeId: number
  readonly clusterId: string
  readonly listeners: readonly { readonly port: number }[]
  /** From the start of the process to the first answer. */
  readonly startMs: number
}

export type LogLine = { readonly event?: string; readonly [field: string]: unknown }

export class ServerProcess {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  #rest = ''
  readonly #watchers = new Set<(line: string) => void>()
  /** Rejects when it ends before. */
  readonly ready: Promise<Readiness>
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>

  /** `args`: behind `naru start`, or behind what stands in its place. */
  constructor(args: readonly string[], program: readonly string[] = thisVersion) {
    const startedAt = performance.now()
    this.#child = spawn(process.execPath, [...program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: brokerEnvironment(),
    })
    // Whatever becomes of the test: a broker ends when this channel closes, one that stands still does not.
    this.#child.channel?.unref()
    const kill = () => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.once('close', () => process.off('exit', kill))
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#take(chunk))
    this.exited = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)))
    const line = new Promise<string>((resolve) => {
      this.#watchers.add((text) => text.includes('"event":"broker-ready"') && resolve(text))
    })
    this.ready = Promise.race([line, this.exited]).then((found) => {
      if (typeof found !== 'string') throw new Error(`It ended with ${found}:\n${this.tail}`)
      return { ...JSON.parse(found), startMs: performance.now() - startedAt }
    })
    this.ready.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it has logged. */
  get log(): string {
    return this.#lines.join('\n')
  }

  /** The end of that. */
  get tail(): string {
    return this.#lines.slice(-reportedLines).join('\n')
  }

  /** Lines of the log with this event. */
  events(event: string): LogLine[] {
    const lines = this.#lines.filter((line) => line.includes(`"event":"${event}"`))
    return lines.map((line) => JSON.parse(line))
  }

  /** Resolves when it has logged the event. */
  logged(event: string, withinMs = 30_000): Promise<LogLine> {
    return eventually(`the event ${event}`, () => this.events(event)[0], withinMs)
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal)
    if (signal !== 'SIGSTOP') return
    await eventually('the process stands still', () => this.#state === 'T' || undefined)
  }

  /** Sends a signal that ends it; gives the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.isRunning) this.#child.kill(signal)
    return this.exited
  }

  /** As the kernel has it: T is stopped. */
  get #state(): string {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  }

  #take(chunk: Buffer): void {
    const lines = `${this.#rest}${chunk.toString('utf8')}`.split('\n')
    this.#rest = lines.pop() ?? ''
    this.#lines.push(...lines)
    if (this.#lines.length > linesMax) this.#lines.splice(0, linesMax / 2)
    for (const line of lines) for (const watch of this.#watchers) watch(line)
  }
}

/** Without what the environment of the tests would say to a broker. */
function brokerEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(NARU_|KAFKA_)/
  const others = Object.entries(process.env).filter(([name]) => !ours.test(name))
  return { ...Object.fromEntries(others), NODE_ENV: 'production' }
}
