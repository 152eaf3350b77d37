/** One broker of a cluster: its configuration, its folder, and its process, which may be killed, stopped and started again. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from '@naru/protocol'
import { within } from './eventually.ts'
import { type Readiness, ServerProcess } from './server-process.ts'
import { type Silence, WireClient } from './wire-client.ts'

/** From the start of the process, elections included. */
const startMsMax = 60_000
const stopMsMax = 30_000
/** After which a question counts as unanswered. */
const silenceMs = 5_000

export interface BrokerPlace {
  readonly id: number
  readonly directory: string
  readonly kafkaPort: number
  /** Where the other brokers meet it. */
  readonly internalPort: number
}

export class ClusterBroker implements AsyncDisposable {
  readonly id: number
  readonly directory: string
  readonly kafkaPort: number
  readonly internalPort: number
  /** Of its server.properties; what is changed holds from the next start on. */
  readonly settings: Map<string, string>
  /** What is started in the place of this version of the program, from the next start on. */
  otherVersion: readonly string[] | undefined
  readonly #lives: ServerProcess[] = []
  #isPaused = false

  constructor(place: BrokerPlace, settings: Readonly<Record<string, string>>) {
    this.id = place.id
    this.directory = place.directory
    this.kafkaPort = place.kafkaPort
    this.internalPort = place.internalPort
    this.settings = new Map(
      Object.entries({
        'node.id': String(place.id),
        'log.dirs': this.dataDirectory,
        listeners: `PLAINTEXT://127.0.0.1:${place.kafkaPort}`,
        'naru.internal.listeners': `127.0.0.1:${place.internalPort}`,
        'naru.log.format': 'json',
        ...settings,
      }),
    )
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.kafkaPort}`
  }

  get dataDirectory(): string {
    return join(this.directory, 'data')
  }

  /** The process of now, or the last one. */
  get process(): ServerProcess {
    const life = this.#lives.at(-1)
    if (life === undefined) throw new Error(`Broker ${this.id} was never started`)
    return life
  }

  get isRunning(): boolean {
    return this.#lives.at(-1)?.isRunning ?? false
  }

  /** It runs, and is not made to stand still. */
  get isActive(): boolean {
    return this.isRunning && !this.#isPaused
  }

  /** What all of its processes have logged, the end of each. */
  get report(): string {
    const ends = this.#lives.map(
      ({ pid, tail }) => `--- broker ${this.id}, process ${pid}\n${tail}`,
    )
    return ends.slice(-3).join('\n')
  }

  /** Starts the process, and does not wait. */
  launch(): ServerProcess {
    if (this.isRunning) throw new Error(`Broker ${this.id} runs`)
    mkdirSync(this.directory, { recursive: true })
    const file = join(this.directory, 'server.properties')
    writeFileSync(file, [...this.settings].map(([key, value]) => `${key}=${value}\n`).join(''))
    const life = new ServerProcess(['-c', file], this.otherVersion)
    this.#lives.push(life)
    return life
  }

  /** Starts the process; it takes requests when this resolves. */
  start(): Promise<Readiness> {
    this.launch()
    return this.ready()
  }

  async ready(): Promise<Readiness> {
    try {
      return await within(startMsMax, `broker ${this.id} is ready`, this.process.ready)
    } catch (error) {
      throw new Error(`Broker ${this.id} did not start:\n${this.report}`, { cause: error })
    }
  }

  /** Its exit code when it ends by itself. */
  ended(withinMs = 30_000): Promise<number | null> {
    return within(withinMs, `broker ${this.id} ends`, this.process.exited)
  }

  /** SIGKILL: no chance to say goodbye. */
  async kill(): Promise<void> {
    this.#isPaused = false
    if (this.isRunning) await this.process.end('SIGKILL')
  }

  /** Asks it to stop; gives the exit code. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return within(stopMsMax, `broker ${this.id} stops`, this.process.end(signal))
  }

  /** SIGSTOP: it stands still, and its connections stay open. */
  async pause(): Promise<void> {
    await this.process.signal('SIGSTOP')
    this.#isPaused = true
  }

  async resume(): Promise<void> {
    await this.process.signal('SIGCONT')
    this.#isPaused = false
  }

  /** Takes its data away, as a lost disk does. */
  wipe(): void {
    rmSync(this.dataDirectory, { recursive: true, force: true })
  }

  /** One question over a connection of its own. Undefined: no answer. */
  async ask<Q, R>(api: Api<Q, R>, version: number, request: Q): Promise<R | undefined> {
    await using client = new WireClient(this.bootstrap, { silenceMs })
    try {
      const answer: R | Silence = await client.ask(api, version, request)
      return typeof answer === 'string' ? undefined : answer
    } catch {
      return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
