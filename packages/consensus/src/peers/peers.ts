/**
 * The other brokers: one link to each that is needed, opened by whoever has something to say first. Lossy: what cannot be said now
 * is dropped, and nobody is told; who needs an answer waits for it with a deadline.
 */
import type {
  Address,
  Clock,
  Logger,
  MessageNetwork,
  MessageServer,
  MessageStream,
} from '@naru/base'
import type { Frame, Hello } from './frame.ts'
import { FrameOutbox } from './frame-outbox.ts'
import { type LinkEnd, PeerLink } from './peer-link.ts'

export interface PeersOptions {
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly logger: Logger
  /** Takes the streams of brokers that follow partitions of this one; without it they are refused. */
  readonly acceptReplication?: (stream: MessageStream) => void
  /** What this node says of itself. */
  readonly self: () => Hello
  /** Where a node is reached, as far as that is known; `attempt` counts those that failed. */
  addressOf(nodeId: number, attempt: number): Address | undefined
}

export interface PeersEvents {
  /** A process has introduced itself. */
  hello(peer: Hello): void
  frame(peer: Hello, frame: Frame, link: PeerLink): void
  /** The last link to a process is gone. */
  down(peer: Hello, end: LinkEnd): void
  /** Nobody has got it, nor will. */
  undelivered(frame: Frame): void
}

/** Between two attempts to reach a node, doubling from the first to the last. */
const backoffMs = { first: 50, last: 500 } as const
/** What may wait for a link that is being opened. */
const waitingLimits = { items: 256, bytes: 8 << 20 } as const

interface Dialing {
  readonly waiting: FrameOutbox
  isUnderWay: boolean
  failures: number
  nextMs: number
}

export class Peers implements AsyncDisposable {
  readonly #options: PeersOptions
  #events: PeersEvents = { hello() {}, frame() {}, down() {}, undelivered() {} }
  /** Every link that is not over, also those whose other side is not known yet; who was heard last comes last. */
  readonly #links = new Set<PeerLink>()
  readonly #dialing = new Map<number, Dialing>()
  readonly #attempts = new Map<PeerLink, (outcome: Hello | LinkEnd) => void>()
  #server: MessageServer | undefined
  #isStopped = false

  constructor(options: PeersOptions) {
    this.#options = options
  }

  handle(events: PeersEvents): void {
    this.#events = events
  }

  /** Takes streams of others; returns the address that was bound. */
  async listen(address: Address): Promise<Address> {
    const refuse = (stream: MessageStream) => stream.reset()
    const { network, acceptReplication = refuse } = this.#options
    this.#server = await network.listen(address, (stream, service) => {
      if (this.#isStopped) stream.reset()
      else if (service === 'replication') acceptReplication(stream)
      else this.#link(stream, false)
    })
    return this.#server.address
  }

  /**
   * Says something to a node, over the link that there is or one that is opened for it. Of two processes that say that they are
   * this node, the one with the named directory gets it: the other must not be able to silence it.
   */
  post(nodeId: number, frame: Frame, directoryId?: string): void {
    const link = this.#linkTo(nodeId, directoryId) ?? this.#linkTo(nodeId)
    if (link !== undefined) link.post(frame)
    else this.#dial(nodeId, frame)
  }

  /** Answers what came over a link, over another one to the same process where that is closed. */
  reply(link: PeerLink, frame: Frame): void {
    const way = link.isClosed ? this.#otherLink(link) : link
    way?.post(frame)
  }

  /** Says something along with what is said to that node next; nothing if there is no link. */
  enclose(nodeId: number, frame: Frame): void {
    this.#linkTo(nodeId)?.enclose(frame)
  }

  /** Asks who is at an address, over a link of its own that stays. Never rejects. */
  greet(address: Address): Promise<Hello | LinkEnd> {
    if (this.#isStopped) return Promise.resolve('lost')
    const link = this.#link(this.#options.network.open(address, 'peer'), true)
    return new Promise((resolve) => this.#attempts.set(link, resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    for (const link of this.#links) link.end()
    await this.#server?.close()
  }

  #link(stream: MessageStream, isOpener: boolean) {
    const { clock, self } = this.#options
    const link: PeerLink = new PeerLink({
      stream,
      clock,
      self,
      isOpener,
      events: {
        hello: (_, hello) => this.#greeted(link, hello),
        frame: (_, frame) => {
          if (link.peer === undefined) return
          this.#heard(link)
          this.#events.frame(link.peer, frame, link)
        },
        close: (_, end) => this.#closed(link, end),
      },
    })
    this.#links.add(link)
    return link
  }

  #linkTo(nodeId: number, directoryId?: string): PeerLink | undefined {
    let last: PeerLink | undefined
    for (const link of this.#links) {
      if (link.peer?.nodeId !== nodeId || link.isClosed) continue
      if (directoryId === undefined || link.peer.directoryId === directoryId) last = link
    }
    return last
  }

  /** What is said goes where something comes from: another link may be dead, with nobody here being told. */
  #heard(link: PeerLink): void {
    this.#links.delete(link)
    this.#links.add(link)
  }

  #dial(nodeId: number, frame: Frame): void {
    const { clock, addressOf } = this.#options
    const dialing = this.#dialing.get(nodeId) ?? newDialing()
    this.#dialing.set(nodeId, dialing)
    dialing.waiting.add(frame)
    if (dialing.isUnderWay) return
    const address = addressOf(nodeId, dialing.failures)
    if (address === undefined || clock.monotonic() < dialing.nextMs) {
      this.#drop(dialing)
      return
    }
    dialing.isUnderWay = true
    void this.greet(address).then((outcome) => {
      dialing.isUnderWay = false
      if (typeof outcome === 'object' && outcome.nodeId === nodeId) return
      const delayMs = Math.min(backoffMs.first * 2 ** dialing.failures++, backoffMs.last)
      dialing.nextMs = clock.monotonic() + delayMs
      this.#drop(dialing)
    })
  }

  #drop({ waiting }: Dialing): void {
    const frame = waiting.take()
    if (frame !== undefined) this.#events.undelivered(frame)
  }

  #greeted(link: PeerLink, hello: Hello): boolean {
    // Found itself at one of the addresses where it looks for others.
    if (hello.incarnationId === this.#options.self().incarnationId) return false
    const problem = this.#problemWith(hello)
    if (problem !== undefined) {
      this.#options.logger.error(problem, { peer: hello.nodeId, at: `${hello.host}:${hello.port}` })
      return false
    }
    if (this.#attempts.has(link)) this.#retireOlder(link, hello)
    this.#settle(link, hello)
    const waiting = this.#dialing.get(hello.nodeId)?.waiting.take()
    this.#dialing.delete(hello.nodeId)
    this.#events.hello(hello)
    if (waiting !== undefined) link.post(waiting)
    return true
  }

  /** Who asks again and again who is there needs one link for it, and loses nothing by that. */
  #retireOlder(link: PeerLink, { incarnationId }: Hello): void {
    for (const other of this.#links) {
      if (other !== link && other.isOpener && other.peer?.incarnationId === incarnationId) {
        other.retire()
        this.#sayOver(link, other)
      }
    }
  }

  /** What a link that is closed still had to say. */
  #sayOver(link: PeerLink | undefined, closed: PeerLink): void {
    const unsent = closed.takeUnsent()
    if (unsent !== undefined) link?.post(unsent)
  }

  /** The newest other link to the process behind one. */
  #otherLink({ peer }: PeerLink): PeerLink | undefined {
    let newest: PeerLink | undefined
    for (const link of this.#links) {
      if (peer === undefined || link.isClosed) continue
      if (link.peer?.incarnationId === peer.incarnationId) newest = link
    }
    return newest
  }

  #problemWith(hello: Hello): string | undefined {
    const { clusterId, nodeId } = this.#options.self()
    if (hello.nodeId === nodeId) return 'peer-with-own-id'
    const isOther = clusterId !== '' && hello.clusterId !== '' && clusterId !== hello.clusterId
    return isOther ? 'peer-of-another-cluster' : undefined
  }

  #closed(link: PeerLink, end: LinkEnd): void {
    this.#links.delete(link)
    this.#settle(link, end)
    const { peer } = link
    if (peer === undefined || this.#isStopped) return
    this.#sayOver(this.#otherLink(link), link)
    const { incarnationId } = peer
    for (const other of this.#links) if (other.peer?.incarnationId === incarnationId) return
    this.#events.down(peer, end)
  }

  #settle(link: PeerLink, outcome: Hello | LinkEnd): void {
    this.#attempts.get(link)?.(outcome)
    this.#attempts.delete(link)
  }
}

function newDialing(): Dialing {
  return {
    waiting: new FrameOutbox(waitingLimits),
    isUnderWay: false,
    failures: 0,
    nextMs: Number.NEGATIVE_INFINITY,
  }
}
