/**
 * One stream between two processes, as their kernels and the way between them see it. Side 0 opened it. What one side does travels
 * in its queue to the other: the opening, messages, the close. A side whose process is gone is closed without a word.
 */
import type { Clock, MessageStream, StreamClose, StreamService } from '@naru/base'
import { copyMessage } from './plain-data.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { type Item, type Obstacle, StreamQueue } from './stream-queue.ts'

export type Side = 0 | 1
type Events = Parameters<MessageStream['handle']>[0]

/** What a stream needs of the network. */
export interface StreamWorld {
  readonly clock: Clock
  readonly limits: StreamLimits
  readonly codecs: StreamCodecs
  delayMs(): number
  /** What is in the way of `item` to `to`, apart from the stream's own state. */
  obstacle(
    stream: SimulatedStream,
    way: readonly [string, string],
    item: Item,
  ): Obstacle | undefined
  /** Who listens where side 0 wants to go; undefined: nobody. */
  accept(stream: SimulatedStream): SimulatedProcess | undefined
  /** What becomes of a message that has come all the way. */
  fate(from: string, to: string): 'arrives' | 'resets' | 'half-open'
  /** For draws: a whole number below `limit`. */
  below(limit: number): number
  note(stream: SimulatedStream, kind: string, ...fields: readonly (string | number)[]): void
  /** A rule of the port is broken by who uses it. */
  violated(problem: string): never
  over(stream: SimulatedStream): void
}

export interface StreamLimits {
  /** Undelivered messages and bytes in one direction from which `send` says false. */
  readonly windowMessages: number
  readonly windowBytes: number
  /** Messages that may be sent without waiting for the drain: more is a bug of the sender. */
  readonly overrunMax: number
  /** After which an attempt that is not answered is given up. */
  readonly attemptMs: number
}

/** For what the opener says, and for what the acceptor says; messages of a service without them arrive as they were sent. */
export type StreamCodecs = Readonly<
  Partial<
    Record<StreamService, { readonly request: MessageCodec; readonly response: MessageCodec }>
  >
>

/** To and from the bytes in which a message would travel. */
export interface MessageCodec {
  encode(message: object): Buffer
  decode(bytes: Buffer): object | undefined
}

/** Who resets a stream at once does not want to hear of it. */
const nobody: Events = { message() {}, drain() {}, close() {} }

/** One side: what its process holds. */
class StreamEnd implements MessageStream {
  readonly process: SimulatedProcess
  events: Events | undefined
  /** Closed: nothing is heard any more, and `close` has been called or is about to be. */
  isClosed = false
  isEnding = false
  #overrun = 0
  readonly #world: StreamWorld
  readonly #queue: StreamQueue
  readonly #service: StreamService
  readonly #codec: MessageCodec | undefined
  readonly #onReset: () => void

  constructor(parts: {
    process: SimulatedProcess
    world: StreamWorld
    queue: StreamQueue
    service: StreamService
    codec: MessageCodec | undefined
    onReset: () => void
  }) {
    this.process = parts.process
    this.#world = parts.world
    this.#queue = parts.queue
    this.#service = parts.service
    this.#codec = parts.codec
    this.#onReset = parts.onReset
  }

  get isWaitingForDrain(): boolean {
    return this.#overrun > 0
  }

  handle(events: Events): void {
    if (this.events !== undefined) this.#world.violated('handle is called twice on a stream')
    this.events = events
  }

  send(message: object): boolean {
    if (this.isClosed || this.isEnding) return true
    const { limits } = this.#world
    if (this.#overrun > limits.overrunMax) {
      this.#world.violated(`${this.#overrun} messages are sent without waiting for the drain`)
    }
    this.#queue.push(this.#copied(message))
    const hasRoom =
      this.#queue.length < limits.windowMessages && this.#queue.bytes < limits.windowBytes
    if (hasRoom && this.#overrun === 0) return true
    this.#overrun++
    return false
  }

  end(): void {
    if (this.isClosed || this.isEnding) return
    this.isEnding = true
    this.#queue.push({ kind: 'close', reason: 'ended' })
  }

  reset(): void {
    if (this.isClosed) return
    this.events ??= nobody
    this.#onReset()
  }

  /** Half of the window is free again. */
  considerDrain(): void {
    const { windowMessages, windowBytes } = this.#world.limits
    const isRoomy = this.#queue.length <= windowMessages / 2 && this.#queue.bytes <= windowBytes / 2
    if (this.isClosed || this.#overrun === 0 || !isRoomy) return
    this.#overrun = 0
    this.process.setTimer(0, () => {
      if (!this.isClosed && !this.isEnding && this.#overrun === 0) this.events?.drain()
    })
  }

  #copied(message: object): Item {
    try {
      const { copy, bytes, digest } = copyMessage(message, this.#service === 'replication')
      const carried = this.#codec?.decode(this.#codec.encode(copy)) ?? copy
      return { kind: 'message', message: carried, bytes, digest }
    } catch (error) {
      if (error instanceof TypeError) this.#world.violated(error.message)
      throw error
    }
  }
}

export class SimulatedStream {
  readonly id: number
  readonly service: StreamService
  /** Names of the hosts of both sides. */
  readonly hosts: readonly [string, string]
  readonly port: number
  readonly #world: StreamWorld
  readonly #queues: readonly [StreamQueue, StreamQueue]
  readonly #opener: StreamEnd
  #acceptor: StreamEnd | undefined
  /** Nothing passes any more; an end that is left does not know. */
  #isVoid = false
  #isOver = false
  readonly #isHanging: boolean
  #giveUp: () => void = () => {}

  constructor(
    world: StreamWorld,
    parts: {
      id: number
      service: StreamService
      hosts: readonly [string, string]
      port: number
      opener: SimulatedProcess
      /** The attempt is never answered. */
      isHanging: boolean
    },
  ) {
    this.#world = world
    this.id = parts.id
    this.service = parts.service
    this.#isHanging = parts.isHanging
    this.hosts = parts.hosts
    this.port = parts.port
    this.#queues = [this.#queueFrom(0), this.#queueFrom(1)]
    this.#opener = this.#makeEnd(0, parts.opener)
    this.#queues[0].push({ kind: 'open' })
    this.#expectAnswer()
  }

  get opener(): MessageStream {
    return this.#opener
  }

  get acceptor(): MessageStream | undefined {
    return this.#acceptor
  }

  get isAccepted(): boolean {
    return this.#acceptor !== undefined
  }

  /** Undelivered messages and bytes, both directions. */
  get queued(): { messages: number; bytes: number } {
    const [a, b] = this.#queues
    return { messages: a.length + b.length, bytes: a.bytes + b.bytes }
  }

  isOpenAt(side: Side): boolean {
    const end = this.#endOf(side)
    return end !== undefined && !end.isClosed
  }

  /** The kernel of the other side has the stream's first packet: `accept` is called with this end. */
  acceptAs(process: SimulatedProcess): MessageStream {
    process.turn()
    this.#acceptor = this.#makeEnd(1, process)
    return this.#acceptor
  }

  /** The end of a process that is gone. `teardownMs`: when its kernel says so; undefined: never. */
  abandon(side: Side, teardownMs: number | undefined): void {
    const end = this.#endOf(side)
    if (end === undefined || end.isClosed) return
    end.isClosed = true
    const queue = this.#queues[side]
    const isUnknown = side === 0 && queue.hasOpen
    queue.keep(isUnknown ? 0 : this.#world.below(queue.length + 1))
    if (isUnknown) this.#finish()
    else if (teardownMs !== undefined) queue.push({ kind: 'close', reason: 'refused' }, teardownMs)
    this.#considerOver()
  }

  /** Breaks: what is under way is lost, and both ends learn it. */
  break(): void {
    for (const side of [0, 1] as const) this.#loseTo(side)
  }

  /** Breaks: what is under way is lost, and the end at `survivor` is not told. It learns it when it sends, or not even then. */
  breakHalf(survivor: Side): void {
    const other = otherSide(survivor)
    this.#loseTo(other)
    this.#queues[other].mute()
    this.#isVoid = this.#world.below(2) === 0
  }

  /** Tries again what is held up; a stream that a partition held up may break instead. */
  retry(isBroken: boolean): void {
    const stalled = this.#queues.map(({ stalledBy }) => stalledBy)
    if (isBroken && stalled.includes('cut')) {
      this.break()
      return
    }
    for (const [side, obstacle] of stalled.entries()) {
      if (obstacle === undefined || obstacle === 'hanging') continue
      const delayMs = obstacle === 'stopped' ? 0.1 : this.#world.delayMs()
      this.#queues[side as Side].retry(delayMs)
    }
  }

  #queueFrom(side: Side): StreamQueue {
    const world = this.#world
    const to = otherSide(side)
    return new StreamQueue({
      clock: world.clock,
      delayMs: () => world.delayMs(),
      obstacle: (item) =>
        this.#ownObstacle(to, item) ??
        world.obstacle(this, [this.hosts[side], this.hosts[to]], item),
      arrive: (item) => this.#arrive(to, item),
    })
  }

  #ownObstacle(to: Side, item: Item): Obstacle | undefined {
    if (item.kind === 'open') return this.#isHanging ? 'hanging' : undefined
    const end = this.#endOf(to)
    if (end?.isClosed === true) return this.#isVoid ? 'void' : undefined
    return end?.process.state === 'stopped' ? 'stopped' : undefined
  }

  #makeEnd(side: Side, process: SimulatedProcess): StreamEnd {
    const queue = this.#queues[side]
    const onReset = () => this.#reset(side)
    const { service } = this
    const codec = this.#world.codecs[service]?.[side === 0 ? 'request' : 'response']
    return new StreamEnd({ process, world: this.#world, queue, service, codec, onReset })
  }

  #endOf(side: Side): StreamEnd | undefined {
    return side === 0 ? this.#opener : this.#acceptor
  }

  #expectAnswer(): void {
    const timer = this.#opener.process.setTimer(this.#world.limits.attemptMs, () => {
      if (this.isAccepted || this.#opener.isClosed) return
      this.#world.note(this, 'given up')
      this.#closeSoon(0, 'lost')
      this.#finish()
    })
    this.#giveUp = () => timer.cancel()
  }

  #arrive(at: Side, item: Item): void {
    if (item.kind === 'open') {
      this.#arriveOpen()
      return
    }
    const end = this.#endOf(at)
    if (end === undefined) return
    if (item.kind === 'close') this.#arriveClose(at, end, item.reason)
    else {
      this.#endOf(otherSide(at))?.considerDrain()
      if (end.isClosed) this.#bounce(at)
      else this.#arriveMessage(at, end, item)
    }
  }

  #arriveMessage(at: Side, end: StreamEnd, item: Item & { readonly kind: 'message' }): void {
    const fate = this.#world.fate(this.hosts[otherSide(at)], this.hosts[at])
    if (fate === 'resets') this.break()
    else if (fate === 'half-open') this.breakHalf(this.#world.below(2) as Side)
    else {
      this.#world.note(this, 'message', at, item.bytes, item.digest)
      this.#eventsOf(end).message(item.message)
    }
  }

  #arriveOpen(): void {
    this.#giveUp()
    const process = this.#world.accept(this)
    this.#world.note(this, process === undefined ? 'refused' : 'accepted')
    if (process === undefined) this.#queues[1].push({ kind: 'close', reason: 'refused' })
  }

  #arriveClose(at: Side, end: StreamEnd, reason: StreamClose): void {
    if (end.isClosed) return
    // What the other end waits for when it has said that nothing follows.
    if (reason === 'ended') this.#queues[at].push({ kind: 'close', reason: 'lost' })
    this.#close(at, end, reason)
  }

  /** A message for an end that is closed: the kernel knows no such stream. */
  #bounce(at: Side): void {
    const queue = this.#queues[at]
    queue.unmute()
    if (queue.length === 0) queue.push({ kind: 'close', reason: 'refused' })
  }

  #reset(side: Side): void {
    const queue = this.#queues[side]
    const isUnknown = side === 0 && !this.isAccepted
    queue.keep(0)
    if (!isUnknown) queue.push({ kind: 'close', reason: 'lost' })
    this.#closeSoon(side, 'lost')
    if (isUnknown) this.#finish()
  }

  /** What is under way to an end is lost, and it is told that the stream is. */
  #loseTo(side: Side): void {
    const queue = this.#queues[otherSide(side)]
    queue.keep(0)
    queue.push({ kind: 'close', reason: 'lost' })
  }

  #closeSoon(side: Side, reason: StreamClose): void {
    const end = this.#endOf(side) as StreamEnd
    end.isClosed = true
    end.process.setTimer(0, () => {
      this.#world.note(this, 'close', side, reason)
      // Who resets it in the turn it came has no need to hear of it.
      end.events?.close(reason)
    })
    this.#considerOver()
  }

  #close(side: Side, end: StreamEnd, reason: StreamClose): void {
    end.isClosed = true
    this.#world.note(this, 'close', side, reason)
    this.#eventsOf(end).close(reason)
    this.#considerOver()
  }

  #eventsOf(end: StreamEnd): Events {
    end.process.turn()
    return end.events ?? this.#world.violated('a stream is not handled in the turn it came')
  }

  /** Over when nobody is left who could notice. */
  #considerOver(): void {
    if (!this.isOpenAt(0) && !this.isOpenAt(1)) this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#giveUp()
    for (const queue of this.#queues) queue.mute()
    this.#world.over(this)
  }
}

function otherSide(side: Side): Side {
  return side === 0 ? 1 : 0
}
