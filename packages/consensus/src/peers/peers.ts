/**
 * The other brokers: one link to each that is needed, opened by whoever has something to say first. Lossy: what cannot be said now
 * is dropped, and nobody is told; who needs an answer waits for it with a deadline.
 */
import type { Address, Clock, Logger, MessageNetwork, MessageServer } from '@naru/base'
import type { Frame, Hello } from './frame.ts'
import { FrameOutbox } from './frame-outbox.ts'
import { type LinkEnd, PeerLink } from './peer-link.ts'

export interface PeersOptions {
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly logger: Logger
  /** What this node says of itself. */
  readonly self: () => Hello
  /** Where a node is reached, as far as that is known. */
  addressOf(nodeId: number): Address | undefined
}

export interface PeersEvents {
  /** A process has introduced itself. */
  hello(peer: Hello): void
  frame(peer: Hello, frame: Frame): void
  /** The last link to a process is gone. */
  down(peer: Hello, end: LinkEnd): void
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
  #events: PeersEvents = { hello() {}, frame() {}, down() {} }
  /** Every link that is not over, also those whose other side is not known yet. */
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
    this.#server = await this.#options.network.listen(address, (stream) => {
      if (this.#isStopped) stream.reset()
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

  /** Answers a process over whichever link there is to it; its node's next process is not meant. */
  reply({ incarnationId }: Hello, frame: Frame): void {
    this.#linkToProcess(incarnationId)?.post(frame)
  }

  /** The process behind the newest link to a node. */
  peer(nodeId: number): Hello | undefined {
    return this.#linkTo(nodeId)?.peer
  }

  /** Asks who is at an address, over a link of its own that stays. Never rejects. */
  greet(address: Address): Promise<Hello | LinkEnd> {
    if (this.#isStopped) return Promise.resolve('lost')
    const link = this.#link(this.#options.network.open(address), true)
    return new Promise((resolve) => this.#attempts.set(link, resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    for (const link of this.#links) link.end()
    await this.#server?.close()
  }

  #link(stream: Parameters<Parameters<MessageNetwork['listen']>[1]>[0], isOpener: boolean) {
    const { clock, self } = this.#options
    const link: PeerLink = new PeerLink({
      stream,
      clock,
      self,
      isOpener,
      events: {
        hello: (_, hello) => this.#greeted(link, hello),
        frame: (_, frame) => {
          if (link.peer !== undefined) this.#events.frame(link.peer, frame)
        },
        close: (_, end) => this.#closed(link, end),
      },
    })
    this.#links.add(link)
    return link
  }

  #linkTo(nodeId: number, directoryId?: string): PeerLink | undefined {
    let newest: PeerLink | undefined
    for (const link of this.#links) {
      if (link.peer?.nodeId !== nodeId || link.isRetired) continue
      if (directoryId === undefined || link.peer.directoryId === directoryId) newest = link
    }
    return newest
  }

  #linkToProcess(incarnationId: string): PeerLink | undefined {
    const links = [...this.#links].filter(({ peer }) => peer?.incarnationId === incarnationId)
    return links.findLast(({ isRetired }) => !isRetired) ?? links.at(-1)
  }

  #dial(nodeId: number, frame: Frame): void {
    const { clock, addressOf } = this.#options
    const dialing = this.#dialing.get(nodeId) ?? newDialing()
    this.#dialing.set(nodeId, dialing)
    dialing.waiting.add(frame)
    if (dialing.isUnderWay) return
    const address = addressOf(nodeId)
    if (address === undefined || clock.monotonic() < dialing.nextMs) {
      dialing.waiting.take()
      return
    }
    dialing.isUnderWay = true
    void this.greet(address).then((outcome) => {
      dialing.isUnderWay = false
      if (typeof outcome === 'object' && outcome.nodeId === nodeId) return
      const delayMs = Math.min(backoffMs.first * 2 ** dialing.failures++, backoffMs.last)
      dialing.nextMs = clock.monotonic() + delayMs
      dialing.waiting.take()
    })
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

  /** Who asks again and again who is there needs one link for it. */
  #retireOlder(link: PeerLink, { incarnationId }: Hello): void {
    for (const other of this.#links) {
      if (other !== link && other.isOpener && other.peer?.incarnationId === incarnationId) {
        other.retire()
      }
    }
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
    const other = this.#linkToProcess(peer.incarnationId)
    const unsaid = link.unsaid()
    if (other === undefined) this.#events.down(peer, end)
    else if (unsaid !== undefined) other.post(unsaid)
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
