/**
 * What a leader knows of one other replica, and how it may send to it:
 *
 * - `probe`: where the logs match is not known. One message, then wait for the answer or for the next heartbeat.
 * - `replicate`: matched; entries are sent ahead of their acknowledgement, in a bounded window.
 * - `snapshot`: what it needs is in a snapshot only, which is sent piece by piece.
 *
 * probe -> replicate on an acceptance; replicate -> probe on a rejection; either -> snapshot when the log begins too late;
 * snapshot -> probe when the snapshot is in place.
 */
import { assert } from '@naru/base'
import type { Snapshot } from './entry.ts'

export type ProgressState = 'probe' | 'replicate' | 'snapshot'

export interface Window {
  readonly messagesMax: number
  readonly bytesMax: number
}

interface SnapshotTransfer {
  readonly snapshot: Snapshot
  offset: number
  /** When the piece at `offset` was sent; undefined when it has to be. */
  sentMs: number | undefined
}

export class Progress {
  readonly #window: Window
  #state: ProgressState = 'probe'
  /** It has on its disk what the leader has, up to here. */
  matchIndex = 0n
  nextIndex: bigint
  /** The highest commit index that it was told. */
  toldCommitIndex = 0n
  /** The highest round of heartbeats that it answered. */
  round = 0
  heardMs: number
  /** When it last had all that the leader had; undefined when that was never so. */
  caughtUpMs: number | undefined
  isRecovering = false
  /** The newest recovery that it told of. */
  recoveries = 0
  /** Probe: a message is on its way. */
  isWaiting = false
  /** A message, empty if the window is full, shows whether something got lost. */
  wantsNudge = false
  #inflight: { readonly lastIndex: bigint; readonly bytes: number }[] = []
  #inflightBytes = 0
  transfer: SnapshotTransfer | undefined

  constructor(options: { nextIndex: bigint; nowMs: number; window: Window }) {
    this.nextIndex = options.nextIndex
    this.heardMs = options.nowMs
    this.#window = options.window
  }

  get state(): ProgressState {
    return this.#state
  }

  /** Room for entries on their way. */
  get hasWindow(): boolean {
    const { messagesMax, bytesMax } = this.#window
    return this.#inflight.length < messagesMax && this.#inflightBytes < bytesMax
  }

  get canSend(): boolean {
    if (this.#state === 'probe') return !this.isWaiting
    if (this.#state === 'snapshot') return false
    return this.wantsNudge || this.hasWindow
  }

  /** Entries up to `lastIndex` are on their way. */
  sent(lastIndex: bigint, bytes: number): void {
    if (this.#state === 'probe') {
      this.isWaiting = true
      return
    }
    this.nextIndex = lastIndex + 1n
    this.#inflight.push({ lastIndex, bytes })
    this.#inflightBytes += bytes
  }

  /** It has everything up to `matchIndex`. True when that is news. */
  accepted(matchIndex: bigint): boolean {
    const isNews = matchIndex > this.matchIndex
    if (isNews) this.matchIndex = matchIndex
    if (this.nextIndex <= matchIndex) this.nextIndex = matchIndex + 1n
    if (this.#state === 'probe') this.#become('replicate')
    else if (this.#state === 'snapshot') this.#leaveSnapshot()
    else this.#release(matchIndex)
    return isNews
  }

  /** It lacks the entry before those that were sent. `nextIndex`: where to try next. */
  rejected(prevIndex: bigint, nextIndex: bigint): void {
    if (prevIndex <= this.matchIndex) return
    if (this.#state === 'replicate') {
      this.#become('probe')
      this.nextIndex = this.matchIndex + 1n
    } else if (this.#state === 'probe' && prevIndex === this.nextIndex - 1n) {
      const least = this.matchIndex + 1n
      this.nextIndex = nextIndex > least ? nextIndex : least
      this.isWaiting = false
    }
  }

  /** It has lost what it once acknowledged: all that was known of it is void. */
  lost(nextIndex: bigint): void {
    this.#become('probe')
    this.matchIndex = 0n
    this.nextIndex = nextIndex
    this.transfer = undefined
  }

  /** It lives: a probe may be repeated, and what seems to be on its way may have been lost. */
  heard(nowMs: number): void {
    this.heardMs = nowMs
    this.isWaiting = false
    if (this.#state === 'replicate' && this.#inflight.length > 0) this.wantsNudge = true
  }

  /** Begins to send `snapshot`, from its first byte. */
  startSnapshot(snapshot: Snapshot): void {
    this.#become('snapshot')
    this.transfer = { snapshot, offset: 0, sentMs: undefined }
  }

  #leaveSnapshot(): void {
    const { transfer } = this
    assert(transfer !== undefined, 'A snapshot is sent in state snapshot')
    if (this.matchIndex < transfer.snapshot.index) return
    this.transfer = undefined
    this.#become('replicate')
    this.nextIndex = this.matchIndex + 1n
  }

  #become(state: ProgressState): void {
    this.#state = state
    this.isWaiting = false
    this.wantsNudge = false
    this.#inflight = []
    this.#inflightBytes = 0
  }

  #release(matchIndex: bigint): void {
    const keep = this.#inflight.findIndex(({ lastIndex }) => lastIndex > matchIndex)
    const done = this.#inflight.splice(0, keep < 0 ? this.#inflight.length : keep)
    for (const { bytes } of done) this.#inflightBytes -= bytes
  }
}
