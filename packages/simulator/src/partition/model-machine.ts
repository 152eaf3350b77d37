/** A machine with a disk, and the process on it. What the disk tells of how the last process ended is what the controller judges by. */
import type { Cleanliness, RegisteredDirectory } from '@naru/metadata'
import type { NodeId } from '@naru/model'
import { directoryOfBroker } from './model-controller.ts'
import { ModelLog } from './model-log.ts'
import type { PartitionReplica } from './partition-replica.ts'

export interface Process {
  readonly incarnation: number
  /** How many changes of the metadata it has seen; before its registration none. */
  position: number
  /** Since its registration. */
  replica: PartitionReplica | undefined
  /** To the brokers that it follows, or has followed: a stream is for all partitions, and outlives a leadership of one. */
  readonly streams: Map<Process, Stream>
}

/** Opened by a follower; what is under way on it goes when it breaks. */
export interface Stream {
  readonly follower: Process
  readonly leader: Process
  /** The subscriptions that came on it. */
  readonly subscriptions: number[]
  isOpen: boolean
}

export class ModelMachine {
  readonly nodeId: NodeId
  readonly log = new ModelLog()
  process: Process | undefined
  /** Since the last registration that the controller knows of. */
  hasLost = false
  /** As it was last written: a hint. */
  highWatermark = 0n
  #boot = 0
  #session: { brokerEpoch: bigint; boot: number; isClean: boolean } | undefined
  /** The disk as it was after some stop in order. */
  #backup: { brokerEpoch: bigint; endOffset: bigint } | undefined

  constructor(nodeId: NodeId) {
    this.nodeId = nodeId
  }

  start(incarnation: number): void {
    this.log.flush()
    this.process = { incarnation, position: -1, replica: undefined, streams: new Map() }
  }

  /** Only now: until the controller knows how the process before has ended, that must not be forgotten. */
  registered(brokerEpoch: bigint): void {
    this.#session = { brokerEpoch, boot: this.#boot, isClean: false }
  }

  /** What the disk says of its last use. */
  get directory(): RegisteredDirectory {
    const directoryId = directoryOfBroker(this.nodeId)
    const brokerEpoch = this.#session?.brokerEpoch ?? -1n
    return { directoryId, cleanliness: this.#cleanliness, brokerEpoch }
  }

  get #cleanliness(): Cleanliness {
    if (this.#session === undefined) return 'unknown'
    if (this.#session.isClean) return 'clean'
    return this.#session.boot === this.#boot ? 'process-crash' : 'os-crash'
  }

  kill(): void {
    this.process = undefined
  }

  stop(): void {
    this.log.flush()
    if (this.#session !== undefined) {
      this.#session.isClean = true
      this.#backup = { brokerEpoch: this.#session.brokerEpoch, endOffset: this.log.endOffset }
    }
    this.kill()
  }

  /** The page cache is gone: of what was not flushed, `keptOffset` says how much was written all the same. */
  losePower(keptOffset: bigint): void {
    this.kill()
    this.#boot++
    if (this.log.lose(keptOffset)) this.hasLost = true
    if (this.highWatermark > this.log.endOffset) this.highWatermark = this.log.endOffset
  }

  /** Somebody sets the disk back to what it was; false when there is nothing of an earlier registration. */
  restoreBackup(): boolean {
    const [backup, session] = [this.#backup, this.#session]
    if (backup === undefined || session === undefined) return false
    const { brokerEpoch, endOffset } = backup
    if (brokerEpoch === session.brokerEpoch || endOffset < this.log.startOffset) return false
    this.losePower(this.log.endOffset)
    if (endOffset < this.log.endOffset) {
      this.log.truncate(endOffset)
      this.hasLost = true
    }
    if (this.highWatermark > this.log.endOffset) this.highWatermark = this.log.endOffset
    this.#session = { brokerEpoch, boot: this.#boot, isClean: true }
    return true
  }

  loseDisk(): void {
    this.losePower(0n)
    if (this.log.last !== undefined) this.hasLost = true
    this.log.restart(undefined)
    this.highWatermark = 0n
    this.#session = undefined
  }
}
