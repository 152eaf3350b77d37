/**
 * Takes snapshots of the state machine, sends pieces of them to replicas that are too far behind, and puts received ones in place:
 * one thing after the other, beside the loop of the node.
 */
import type { Raft, Ready, ReceivedChunk } from '@naru/raft'
import type { StateMachine } from './state-machine.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

export interface SnapshotExchangeOptions {
  readonly raft: Raft
  readonly storage: RaftStorage
  readonly stateMachine: StateMachine
  /** Sent in one message. */
  readonly chunkBytes: number
  /** Of the snapshot on the disk; 0 without one. */
  readonly stateBytes: number
  /** The state machine was set to the entry at `index`. */
  readonly onRestored: (index: bigint) => void
  /** The core was told something: it may have more to do. */
  readonly onProgress: () => void
  readonly onError: (error: unknown) => void
}

export class SnapshotExchange {
  readonly #options: SnapshotExchangeOptions
  #last: Promise<void> = Promise.resolve()
  #isTaking = false
  #isStopped = false
  #stateBytes: number

  constructor(options: SnapshotExchangeOptions) {
    this.#options = options
    this.#stateBytes = options.stateBytes
  }

  /** Size of the last snapshot that was taken or received. */
  get stateBytes(): number {
    return this.#stateBytes
  }

  /** The state is taken as it is now; it becomes the start of the log once it is on the disk. Does nothing while one is being stored. */
  take(index: bigint): void {
    const { raft, storage, stateMachine } = this.#options
    const term = raft.log.termAt(index)
    if (this.#isTaking || term === undefined) return
    const snapshot = { index, term, voters: raft.votersAt(index) }
    const taken = stateMachine.snapshot(index)
    this.#isTaking = true
    this.#inTurn(async () => {
      const state = await taken
      this.#stateBytes = state.length
      await storage.saveSnapshot(snapshot, state)
      raft.snapshotTaken(snapshot)
      await storage.compact(raft.log.baseIndex)
      this.#isTaking = false
    })
  }

  send({ to, snapshot, offset }: Ready['chunks'][number]): void {
    const { raft, storage, chunkBytes } = this.#options
    this.#inTurn(async () => {
      const piece = await storage.readSnapshot(snapshot.index, offset, chunkBytes)
      if (piece === undefined) raft.chunkUnavailable(to)
      else raft.sendChunk(to, { snapshot, offset, ...piece })
    })
  }

  store(chunk: ReceivedChunk): void {
    const { raft, storage } = this.#options
    const { snapshot, offset, data, isLast } = chunk
    this.#inTurn(async () => {
      await storage.receive(snapshot, offset, data)
      if (!isLast) raft.chunkStored(chunk, true)
      else if (snapshot.index <= raft.log.commitIndex) raft.snapshotInstalled(snapshot)
      else await this.#install(chunk)
    })
  }

  /** Resolves when nothing is under way; nothing further is begun. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#last
  }

  async #install(chunk: ReceivedChunk): Promise<void> {
    const { raft, storage, stateMachine, onRestored } = this.#options
    const { snapshot } = chunk
    const state = await storage.finishReceived(snapshot)
    if (state === undefined) {
      raft.chunkStored(chunk, false)
      return
    }
    // Appends may have come past it while it was written: then the log goes on, and so does the state.
    if (snapshot.index > raft.log.commitIndex) {
      stateMachine.restore(state, snapshot.index)
      this.#stateBytes = state.length
      onRestored(snapshot.index)
    }
    raft.snapshotInstalled(snapshot)
  }

  #inTurn(work: () => Promise<void>): void {
    this.#last = this.#last
      .then(async () => {
        if (this.#isStopped) return
        await work()
        this.#options.onProgress()
      })
      .catch((error: unknown) => this.#options.onError(error))
  }
}
