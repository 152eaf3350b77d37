/** Brokers of this machine, each a process of its own: started together, watched, and ended together. */
import { type ChildProcess, fork } from 'node:child_process'
import type { BrokerPlace } from './broker-places.ts'

/** What a broker tells the launcher that forked it, once it answers. */
interface Told {
  readonly event: 'ready'
  readonly nodeId: number
  readonly clusterId: string
  readonly listeners: readonly { listener: string; host: string; port: number }[]
  readonly grpc?: { readonly host: string; readonly port: number }
  readonly quorum?: {
    readonly leaderId: number
    readonly leaderEpoch: number
    /** Node ids. */
    readonly voters: readonly number[]
  }
}

export interface Ready extends Told {
  readonly pid: number
}

export interface BrokerEnd {
  readonly nodeId: number
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last that it has printed. */
  readonly lastLines: readonly string[]
}

interface AllReady {
  readonly state: 'ready'
  readonly brokers: readonly Ready[]
}

interface Ended {
  readonly state: 'ended'
  readonly end: BrokerEnd
}

export interface LocalClusterOptions {
  /** The program; it is called with `start`, the file and the settings. */
  readonly entrance: string
  readonly onReady: (ready: Ready) => void
  /** Each end, also those that were asked for. `running`: how many still run. */
  readonly onEnd: (end: BrokerEnd, running: number) => void
}

const keptLines = 20
const keptCharacters = 65_536

export class LocalCluster {
  readonly #brokers: readonly LocalBroker[]

  constructor(places: readonly BrokerPlace[], { entrance, onReady, onEnd }: LocalClusterOptions) {
    this.#brokers = places.map((place) => new LocalBroker(place, entrance))
    for (const broker of this.#brokers) {
      void broker.ready.then(onReady)
      void broker.ended.then((end) => onEnd(end, this.#brokers.filter((b) => b.isRunning).length))
    }
  }

  /** All of them, when all are ready; or the first that ended before. */
  started(): Promise<AllReady | Ended> {
    const all = Promise.all(this.#brokers.map(({ ready }) => ready))
    const ends = this.#brokers.map(({ ended }) => ended)
    return Promise.race([
      all.then((brokers): AllReady => ({ state: 'ready', brokers })),
      Promise.race(ends).then((end): Ended => ({ state: 'ended', end })),
    ])
  }

  /** The one that ended last. */
  async over(): Promise<Ended> {
    const order: BrokerEnd[] = []
    await Promise.all(this.#brokers.map(({ ended }) => ended.then((end) => order.push(end))))
    return { state: 'ended', end: order.at(-1) as BrokerEnd }
  }

  /** Node ids of those of which nothing was heard yet. */
  get waitedFor(): number[] {
    return this.#brokers.filter(({ isReady }) => !isReady).map(({ nodeId }) => nodeId)
  }

  /** Stops those that run, all at once, and kills what has not ended after `timeoutMs`. Gives the ends of these. */
  async stop(timeoutMs: number): Promise<{ ends: BrokerEnd[]; killed: number[] }> {
    const running = this.#brokers.filter(({ isRunning }) => isRunning)
    const killed: number[] = []
    for (const broker of running) broker.stop()
    const timer = setTimeout(() => {
      for (const broker of running.filter(({ isRunning }) => isRunning)) {
        killed.push(broker.nodeId)
        broker.kill()
      }
    }, timeoutMs)
    const ends = await Promise.all(running.map(({ ended }) => ended))
    clearTimeout(timer)
    return { ends, killed }
  }
}

class LocalBroker {
  readonly nodeId: number
  readonly ready: Promise<Ready>
  readonly ended: Promise<BrokerEnd>
  isReady = false
  isRunning = true
  readonly #process: ChildProcess
  #tail = ''

  constructor({ nodeId, file, settings }: BrokerPlace, entrance: string) {
    this.nodeId = nodeId
    const flags = settings.flatMap((setting) => ['--set', setting])
    const child = fork(entrance, ['start', '-c', file, ...flags], { execArgv: [], silent: true })
    this.#process = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#keep(text))
    }
    this.ready = new Promise((resolve) => {
      child.on('message', (message) => {
        if ((message as Told).event !== 'ready') return
        this.isReady = true
        resolve({ ...(message as Told), pid: child.pid as number })
      })
    })
    this.ended = this.#end(child, nodeId)
  }

  /** A broker stops when the pipe to its launcher closes. */
  stop(): void {
    if (this.#process.connected) this.#process.disconnect()
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async #end(child: ChildProcess, nodeId: number): Promise<BrokerEnd> {
    const streams = [child.stdout, child.stderr].map(
      (stream) => new Promise((resolve) => stream?.on('close', resolve)),
    )
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.on('exit', (...end) => resolve(end))
      child.on('error', (error) => {
        this.#keep(error.message)
        if (child.pid === undefined) resolve([null, null])
      })
    })
    // Its last words may come after its end. (Its own `close` event does not come once the pipe of messages is closed here.)
    if (child.pid !== undefined) await Promise.all(streams)
    this.isRunning = false
    const lastLines = this.#tail.trimEnd().split('\n').slice(-keptLines)
    return { nodeId, code, signal, lastLines }
  }

  #keep(text: string): void {
    this.#tail = `${this.#tail}${text}`.slice(-keptCharacters)
  }
}
