import { entryBytes, type Message } from '@naru/raft'
import type { Call, CallOutcome, Frame, NodeAddress } from './frame.ts'

/** What waits to be said to one broker. Bounded: Raft messages that do not fit are dropped, and repeated when they are missed. */
export class FrameOutbox {
  readonly #itemsMax: number
  readonly #bytesMax: number
  #raft: Message[] = []
  #calls: Call[] = []
  #results: (CallOutcome & { readonly id: number })[] = []
  readonly #addresses = new Map<number, NodeAddress>()
  #latest: Frame = {}
  #bytes = 0

  constructor(limits: { readonly items: number; readonly bytes: number }) {
    this.#itemsMax = limits.items
    this.#bytesMax = limits.bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Of heartbeats and session states only the newest matters. */
  add({ raft = [], calls = [], results = [], addresses = [], ...latest }: Frame): void {
    this.#latest = { ...this.#latest, ...latest }
    for (const address of addresses) this.#addresses.set(address.nodeId, address)
    // How many may be under way is limited where they are made: whoever waits for one must not wait in vain.
    for (const { payload } of calls) this.#bytes += payload.length
    for (const result of results) this.#bytes += 'payload' in result ? result.payload.length : 0
    this.#calls.push(...calls)
    this.#results.push(...results)
    if (this.#isFull) return
    for (const message of raft) this.#bytes += messageBytes(message)
    this.#raft.push(...raft)
  }

  /** All that waits; undefined when nothing does. */
  take(): Frame | undefined {
    const items = this.#raft.length + this.#calls.length + this.#results.length
    if (items === 0 && Object.keys(this.#latest).length === 0) return undefined
    const frame = {
      ...this.#latest,
      raft: this.#raft,
      calls: this.#calls,
      results: this.#results,
      addresses: [...this.#addresses.values()],
    }
    this.#raft = []
    this.#calls = []
    this.#results = []
    this.#addresses.clear()
    this.#latest = {}
    this.#bytes = 0
    return frame
  }

  get #isFull(): boolean {
    return this.#raft.length >= this.#itemsMax || this.#bytes >= this.#bytesMax
  }
}

function messageBytes(message: Message): number {
  if (message.type === 'snapshot') return message.data.length
  if (message.type !== 'append') return 64
  return message.entries.reduce((sum, entry) => sum + entryBytes(entry), 64)
}
