/** A broker as people run it: a process of its own, on a free port, with data in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './sources.ts'

const entrance = join(root, 'packages/cli/bin/naru.js')
const startMsMax = 30_000

export class BrokerProcess implements AsyncDisposable {
  readonly directory: string
  #child: ChildProcess | undefined
  #port = 0
  #log = ''
  readonly #settings: readonly string[]
  /** From the start of the process to the first answer, in milliseconds. */
  startMs = 0

  private constructor(settings: readonly string[]) {
    this.directory = mkdtempSync(join(tmpdir(), 'naru-test-'))
    this.#settings = settings
  }

  static async start(settings: readonly string[] = []): Promise<BrokerProcess> {
    const broker = new BrokerProcess(settings)
    await broker.restart()
    return broker
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get dataDirectory(): string {
    return join(this.directory, 'data')
  }

  /** What it has logged. */
  get log(): string {
    return this.#log
  }

  /** Starts the process on the data and port that it had. */
  async restart(): Promise<void> {
    const settings = [
      `log.dirs=${this.dataDirectory}`,
      `listeners=PLAINTEXT://127.0.0.1:${this.#port}`,
      'naru.log.format=json',
      ...this.#settings,
    ]
    const flags = settings.flatMap((setting) => ['--set', setting])
    const startedAt = performance.now()
    const child = spawn(process.execPath, [entrance, 'start', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    this.#child = child
    await this.#ready(child)
    this.startMs = performance.now() - startedAt
  }

  #ready(child: ChildProcess): Promise<void> {
    let text = ''
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`Broker ${reason}:\n${text}`))
      const timer = setTimeout(() => fail(`did not start in ${startMsMax} ms`), startMsMax)
      child.once('exit', (code) => fail(`ended with ${code}`))
      const take = (chunk: Buffer) => {
        text += chunk.toString('utf8')
        this.#log = text
        const line = text.split('\n').find((each) => each.includes('"event":"broker-ready"'))
        if (line === undefined) return
        clearTimeout(timer)
        this.#port = JSON.parse(line).listeners[0].port
        resolve()
      }
      child.stdout?.on('data', take)
      child.stderr?.on('data', take)
    })
  }

  /** SIGKILL: no chance to say goodbye. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks it to stop; gives the exit code. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return this.#end(signal)
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const ended = once(child, 'exit')
    child.kill(signal)
    const [code] = await ended
    return code as number | null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }
}
