/** A proxy between each ordered pair of brokers: what goes from one to another can be cut, slowed down, and broken. */
import { TcpProxy } from './tcp-proxy.ts'

export class PeerNetwork implements AsyncDisposable {
  /** By who connects, then to whom. */
  readonly #proxies = new Map<number, Map<number, TcpProxy>>()

  static async start(brokers: ReadonlyMap<number, { internalPort: number }>): Promise<PeerNetwork> {
    const network = new PeerNetwork()
    for (const from of brokers.keys()) {
      const own = new Map<number, TcpProxy>()
      network.#proxies.set(from, own)
      for (const [to, { internalPort: port }] of brokers) {
        if (to !== from) own.set(to, await TcpProxy.start({ host: '127.0.0.1', port }))
      }
    }
    return network
  }

  /** Where `from` reaches the others. */
  addressesFor(from: number): ReadonlyMap<number, string> {
    const own = [...(this.#proxies.get(from) ?? [])]
    return new Map(own.map(([to, { port }]) => [to, `127.0.0.1:${port}`]))
  }

  /** Nothing that `from` says arrives at `to`, whoever of them has connected. */
  cut(from: number, to: number): void {
    this.#way(from, to).forEach((way) => {
      way.cut()
    })
  }

  /** Between one and all others: what it says, what it hears, or both. */
  isolate(id: number, what: 'both' | 'speaks' | 'hears' = 'both'): void {
    for (const other of this.#proxies.keys()) {
      if (other === id) continue
      if (what !== 'hears') this.cut(id, other)
      if (what !== 'speaks') this.cut(other, id)
    }
  }

  /** What was cut arrives now. */
  heal(): void {
    for (const { there, back } of this.#all()) {
      there.heal()
      back.heal()
    }
  }

  /** Breaks every connection there is. */
  reset(): void {
    for (const proxy of this.#all()) proxy.reset()
  }

  delay(from: number, to: number, delayMs: number): void {
    this.#way(from, to).forEach((way) => {
      way.delayMs = delayMs
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all()].map((proxy) => proxy[Symbol.asyncDispose]()))
  }

  #way(from: number, to: number) {
    const forth = this.#proxies.get(from)?.get(to)
    const back = this.#proxies.get(to)?.get(from)
    if (forth === undefined || back === undefined) throw new Error(`No network ${from} to ${to}`)
    return [forth.there, back.back]
  }

  *#all(): Generator<TcpProxy> {
    for (const own of this.#proxies.values()) yield* own.values()
  }
}
