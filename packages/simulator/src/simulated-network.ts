/**
 * Hosts, the processes on them, and streams of messages between these, on virtual time. Streams, not datagrams: what is sent arrives
 * in order and once, or the stream closes; what one stream bears does not touch another. Faults are drawn from the seed
 * (`faults`), or commanded.
 */
import {
  type AcceptStream,
  type Address,
  type MessageNetwork,
  type MessageServer,
  type MessageStream,
  type StreamService,
  TransportError,
} from '@naru/base'
import { replicationCodecs } from '@naru/rpc/replication'
import { calm, type NetworkFaults } from './network-faults.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import { SimulatedProcess } from './simulated-process.ts'
import { SimulatedStream, type StreamLimits, type StreamWorld } from './simulated-stream.ts'
import type { Item, Obstacle } from './stream-queue.ts'
import { TraceHash } from './trace-hash.ts'

/** The least that a message needs. */
const leastMs = 0.05
const firstFreePort = 40_000

interface Host {
  readonly name: string
  process: SimulatedProcess | undefined
  isOff: boolean
  /** Until when the kernel is busy with what a killed process has left. */
  busyUntilMs: number
  nextPort: number
}

interface Listener {
  readonly process: SimulatedProcess
  readonly accept: AcceptStream
  readonly ends: Set<MessageStream>
}

/** A broken rule of the port: a bug in what uses the network. */
export class NetworkMisuse extends Error {
  override readonly name = 'NetworkMisuse'
}

export interface NetworkUsage {
  readonly streams: number
  readonly listeners: number
  readonly messages: number
  readonly bytes: number
  readonly timers: number
}

export const defaultLimits: StreamLimits & { readonly streamsMax: number } = {
  windowMessages: 64,
  windowBytes: 1 << 20,
  overrunMax: 16,
  attemptMs: 20_000,
  /** Of the whole network: more is unbounded growth. */
  streamsMax: 2_000,
}

export class SimulatedNetwork {
  faults: NetworkFaults = calm
  readonly trace = new TraceHash()
  readonly #clock: SimulatedClock
  readonly #random: SeededRandom
  readonly #limits: typeof defaultLimits
  readonly #codecs: StreamWorld['codecs']
  readonly #hosts = new Map<string, Host>()
  readonly #listeners = new Map<string, Listener>()
  readonly #streams = new Map<number, SimulatedStream>()
  /** `from>to` of the ways that are cut. */
  readonly #cuts = new Set<string>()
  /** Until when nothing passes, by `from>to`. */
  readonly #clogs = new Map<string, number>()
  readonly #world: StreamWorld
  #nextStream = 1
  #misuse: NetworkMisuse | undefined

  constructor(
    clock: SimulatedClock,
    random: SeededRandom,
    options: Partial<typeof defaultLimits> & { readonly codecs?: StreamWorld['codecs'] } = {},
  ) {
    const { codecs, ...limits } = options
    this.#clock = clock
    this.#random = random
    // What is received there has another shape than what is sent.
    this.#codecs = { replication: replicationCodecs, ...codecs }
    this.#limits = { ...defaultLimits, ...limits }
    this.#world = this.#makeWorld()
  }

  /** Starts a process on a host, which is switched on for it. A host has one process at a time. */
  start(name: string, skewMs = 0): { process: SimulatedProcess; network: MessageNetwork } {
    const host = this.#hostNamed(name)
    if (host.process !== undefined) throw new Error(`A process runs on ${name} already`)
    if (host.isOff) this.powerOn(name)
    // Nobody starts the next process before the kernel has let go of the one before.
    host.busyUntilMs = 0
    const process = new SimulatedProcess(this.#clock, skewMs)
    host.process = process
    this.trace.event(this.#clock.monotonic(), 'start', name)
    return { process, network: this.#portOf(host, process) }
  }

  processOn(name: string): SimulatedProcess | undefined {
    return this.#hosts.get(name)?.process
  }

  /** SIGKILL: the kernel tells the peers within `teardownMs`, drawn when not given. */
  kill(name: string, teardownMs = this.#draw(this.#random.chance(0.2) ? 100 : 8)): void {
    const host = this.#hostNamed(name)
    if (host.process === undefined) return
    host.busyUntilMs = this.#clock.monotonic() + teardownMs
    this.#end(host, teardownMs)
  }

  /** The host is gone at once, and nobody is told. */
  powerLoss(name: string): void {
    const host = this.#hostNamed(name)
    host.isOff = true
    this.#end(host, undefined)
  }

  /** The kernel is back, without any process. */
  powerOn(name: string): void {
    this.#hostNamed(name).isOff = false
    this.trace.event(this.#clock.monotonic(), 'power on', name)
    this.#retry((from, to) => from === name || to === name, false)
  }

  /** SIGSTOP: what comes for the process waits, and so do its timers. */
  stop(name: string): void {
    this.#hosts.get(name)?.process?.stop()
    this.trace.event(this.#clock.monotonic(), 'stop', name)
  }

  /** SIGCONT: it finds its timers first or the messages, as it happens. */
  goOn(name: string): void {
    this.trace.event(this.#clock.monotonic(), 'go on', name)
    this.#hosts.get(name)?.process?.goOn(this.#random.pick([0, 0.2, 5]))
    this.#retry((_, to) => to === name, false)
  }

  /** Nothing arrives from `from` at `to`; streams stay open and silent, and attempts between the two are not answered. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
    this.trace.event(this.#clock.monotonic(), 'cut', from, to)
  }

  part(a: string, b: string): void {
    this.cut(a, b)
    this.cut(b, a)
  }

  /** Both ways. What was held up arrives, or its stream breaks. */
  heal(a: string, b: string): void {
    const wasCut = [this.#cuts.delete(`${a}>${b}`), this.#cuts.delete(`${b}>${a}`)].includes(true)
    if (!wasCut) return
    this.trace.event(this.#clock.monotonic(), 'heal', a, b)
    this.#retry((from, to) => (from === a && to === b) || (from === b && to === a), true)
  }

  healAll(): void {
    this.#clogs.clear()
    for (const way of [...this.#cuts]) {
      const [from, to] = way.split('>') as [string, string]
      this.heal(from, to)
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from}>${to}`)
  }

  /** For a while nothing arrives from `from` at `to`. */
  clog(from: string, to: string, durationMs: number): void {
    this.#clogs.set(`${from}>${to}`, this.#clock.monotonic() + durationMs)
    this.trace.event(this.#clock.monotonic(), 'clog', from, to, durationMs)
  }

  /** Streams that somebody holds, oldest first. */
  get streams(): SimulatedStream[] {
    return [...this.#streams.values()]
  }

  /** What is open and queued: at rest it must not grow. */
  get usage(): NetworkUsage {
    const queued = this.streams.map((stream) => stream.queued)
    return {
      streams: this.#streams.size,
      listeners: this.#listeners.size,
      messages: queued.reduce((sum, { messages }) => sum + messages, 0),
      bytes: queued.reduce((sum, { bytes }) => sum + bytes, 0),
      timers: [...this.#hosts.values()].reduce(
        (sum, { process }) => sum + (process?.timerCount ?? 0),
        0,
      ),
    }
  }

  /** Throws what was thrown at a user of the network who broke its rules, in case that one has caught it. */
  check(): void {
    if (this.#misuse !== undefined) throw this.#misuse
  }

  #hostNamed(name: string): Host {
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    const host: Host = {
      name,
      process: undefined,
      isOff: true,
      busyUntilMs: 0,
      nextPort: firstFreePort,
    }
    this.#hosts.set(name, host)
    return host
  }

  #end(host: Host, teardownMs: number | undefined): void {
    const { name, process } = host
    this.trace.event(this.#clock.monotonic(), 'end', name, teardownMs ?? -1)
    if (process === undefined) return
    host.process = undefined
    process.kill()
    for (const [place, listener] of this.#listeners) {
      if (listener.process === process) this.#listeners.delete(place)
    }
    for (const stream of this.streams) {
      for (const side of [0, 1] as const) {
        if (stream.hosts[side] === name) stream.abandon(side, teardownMs)
      }
    }
    this.#retry((_, to) => to === name, false)
  }

  #retry(concerns: (from: string, to: string) => boolean, mayBreak: boolean): void {
    for (const stream of this.streams) {
      const [a, b] = stream.hosts
      if (!concerns(a, b) && !concerns(b, a)) continue
      stream.retry(mayBreak && this.#random.chance(this.faults.brokenByHealChance))
    }
  }

  #portOf(host: Host, process: SimulatedProcess): MessageNetwork {
    return {
      listen: (address, accept) => this.#listen(host, process, address, accept),
      open: (address, service) => this.#open(host, process, address, service),
    }
  }

  async #listen(
    host: Host,
    process: SimulatedProcess,
    address: Address,
    accept: AcceptStream,
  ): Promise<MessageServer> {
    if (address.host !== host.name) {
      throw new TransportError('EADDRNOTAVAIL', `${host.name} is not ${address.host}`)
    }
    const port = address.port === 0 ? host.nextPort++ : address.port
    const place = placeOf({ host: host.name, port })
    if (this.#listeners.has(place)) throw new TransportError('EADDRINUSE', `${place} is in use`)
    const listener = { process, accept, ends: new Set<MessageStream>() }
    this.#listeners.set(place, listener)
    return {
      address: { host: host.name, port },
      close: async () => {
        if (this.#listeners.get(place) === listener) this.#listeners.delete(place)
        for (const end of listener.ends) end.reset()
        listener.ends.clear()
        await process.pause(0)
      },
    }
  }

  #open(
    host: Host,
    opener: SimulatedProcess,
    { host: to, port }: Address,
    service: StreamService,
  ): MessageStream {
    if (this.#streams.size >= this.#limits.streamsMax) {
      this.#violated(`${this.#streams.size} streams are open`)
    }
    const id = this.#nextStream++
    const isHanging = this.#random.chance(this.faults.hangChance)
    const hosts = [host.name, to] as const
    this.trace.event(this.#clock.monotonic(), 'open', id, host.name, to, port, service)
    const parts = { id, service, hosts, port, opener, isHanging }
    const stream = new SimulatedStream(this.#world, parts)
    this.#streams.set(id, stream)
    return stream.opener
  }

  #makeWorld(): StreamWorld {
    return {
      clock: this.#clock,
      limits: this.#limits,
      codecs: this.#codecs,
      delayMs: () => this.#delayMs(),
      obstacle: (stream, way, item) => this.#obstacle(stream, way, item),
      accept: (stream) => this.#accept(stream),
      fate: (from, to) => this.#fate(from, to),
      below: (limit) => this.#random.below(limit),
      note: ({ id }, kind, ...fields) =>
        this.trace.event(this.#clock.monotonic(), kind, id, ...fields),
      violated: (problem) => this.#violated(problem),
      over: (stream) => this.#over(stream),
    }
  }

  #obstacle(
    stream: SimulatedStream,
    [from, to]: readonly [string, string],
    item: Item,
  ): Obstacle | undefined {
    const host = this.#hosts.get(to)
    if (host === undefined || host.isOff) return 'off'
    if (this.isCut(from, to)) return 'cut'
    const clearMs = (this.#clogs.get(`${from}>${to}`) ?? 0) - this.#clock.monotonic()
    if (clearMs > 0) return clearMs
    if (item.kind !== 'open') return undefined
    // A stream needs an answer on the way back before anything else.
    if (this.isCut(to, from)) return 'cut'
    const busyMs = host.busyUntilMs - this.#clock.monotonic()
    if (busyMs > 0) return busyMs
    const listener = this.#listeners.get(placeOf({ host: to, port: stream.port }))
    return listener?.process.state === 'stopped' ? 'stopped' : undefined
  }

  #accept(stream: SimulatedStream): SimulatedProcess | undefined {
    const listener = this.#listeners.get(placeOf({ host: stream.hosts[1], port: stream.port }))
    if (listener === undefined) return undefined
    const end = stream.acceptAs(listener.process)
    listener.ends.add(end)
    listener.accept(end, stream.service)
    return listener.process
  }

  #over(stream: SimulatedStream): void {
    this.#streams.delete(stream.id)
    const listener = this.#listeners.get(placeOf({ host: stream.hosts[1], port: stream.port }))
    const end = stream.acceptor
    if (end !== undefined) listener?.ends.delete(end)
  }

  #fate(from: string, to: string): 'arrives' | 'resets' | 'half-open' {
    const { resetChance, halfOpenChance, clogChance, clogMs } = this.faults
    if (this.#random.chance(clogChance)) this.clog(from, to, this.#draw(clogMs))
    if (this.#random.chance(resetChance)) return 'resets'
    return this.#random.chance(halfOpenChance) ? 'half-open' : 'arrives'
  }

  #delayMs(): number {
    const { delayMs, tailChance, tailMs } = this.faults
    const tail = this.#random.chance(tailChance) ? this.#draw(tailMs) : 0
    const uniform = (this.#random.uint32() + 1) / 2 ** 32
    return leastMs - delayMs * Math.log(uniform) + tail
  }

  /** Between 0 and `limitMs`, to the microsecond. */
  #draw(limitMs: number): number {
    return this.#random.below(Math.max(1, Math.round(limitMs * 1_000))) / 1_000
  }

  #violated(problem: string): never {
    this.#misuse ??= new NetworkMisuse(problem)
    throw this.#misuse
  }
}

function placeOf({ host, port }: Address): string {
  return `${host}:${port}`
}
