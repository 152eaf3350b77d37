/**
 * The cluster's metadata on the Raft log: decide, propose, replay once committed, answer. Commands run one after the other; each is
 * durable on a majority before it is answered.
 */
import type { Clock, FileSystem, Logger, Random } from '@naru/base'
import {
  type Decision,
  decodeMetadataRecords,
  emptyImage,
  encodeMetadataRecords,
  imageRecords,
  type MetadataImage,
  type MetadataRecord,
  replay,
  restoreImage,
} from '@naru/metadata'
import type { RaftEvent, ReplicaKey } from '@naru/raft'
import { MetadataStoreError } from './errors.ts'
import { foundQuorumOfOne } from './first-quorum.ts'
import { noPeers } from './peer-transport.ts'
import { RaftNode } from './raft-node.ts'
import type { StateMachine } from './state-machine.ts'
import { LevelRaftStorage } from './storage/level-raft-storage.ts'

type Decide<R> = (image: MetadataImage) => Decision<R>
export type MetadataListener = (records: readonly MetadataRecord[]) => Promise<void>

export interface MetadataRuntimeOptions {
  readonly directory: string
  /** This node and the id of the log directory that holds the metadata. */
  readonly self: ReplicaKey
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The disk of the metadata failed: the process must end. */
  readonly onFatal: (error: unknown) => void
}

const electionBaseMs = 600
const heartbeatMs = 150

export class MetadataRuntime implements AsyncDisposable, StateMachine {
  readonly image: MetadataImage = emptyImage()
  readonly #listeners: MetadataListener[] = []
  #node: RaftNode | undefined
  #storage: LevelRaftStorage | undefined
  #last: Promise<unknown> = Promise.resolve()
  /** Listeners see one change after the other, in the order of the log. */
  #following: Promise<void> = Promise.resolve()

  private constructor() {}

  /** Resolves when everything that was ever acknowledged is replayed. */
  static async open(options: MetadataRuntimeOptions): Promise<MetadataRuntime> {
    const { self, clock, random, directory, logger } = options
    const runtime = new MetadataRuntime()
    const storage = await foundQuorumOfOne(() => LevelRaftStorage.open(options), self)
    refuseStrangers(storage.stored.hardState.vote, self, directory)
    if (storage.stored.isRecovering) throw damaged(storage, directory)
    runtime.#storage = storage
    const leading = Promise.withResolvers<void>()
    runtime.#node = await RaftNode.start({
      self,
      storage,
      clock,
      random,
      transport: noPeers(),
      stateMachine: runtime,
      contacts: [self],
      electionBaseMs,
      heartbeatMs,
      onEvent: (event) => {
        noteEvent(event, logger)
        if (event.type === 'role' && event.role === 'leader') leading.resolve()
      },
      onFatal: options.onFatal,
    })
    await leading.promise
    await runtime.#node.readBarrier()
    return runtime
  }

  /** Index of the last entry that is replayed. */
  get lastIndex(): bigint {
    return this.#node?.appliedIndex ?? 0n
  }

  /** `listener` is called after each change, and the answer to the command waits for it. */
  onChange(listener: MetadataListener): void {
    this.#listeners.push(listener)
  }

  /** Runs one command. Rejects with LEADERSHIP_LOST when the disk fails: nothing is decided after that. */
  submit<R>(decide: Decide<R>): Promise<R> {
    const result = this.#last.then(() => this.#run(decide))
    // The next command runs whatever becomes of this one.
    this.#last = result.catch(() => {})
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    await this.#following
    await this.#node?.[Symbol.asyncDispose]()
    await this.#storage?.[Symbol.asyncDispose]()
  }

  apply(payload: Buffer): void {
    const records = decodeMetadataRecords(payload)
    for (const record of records) replay(this.image, record)
    if (this.#listeners.length === 0) return
    this.#following = this.#following.then(async () => {
      for (const listener of this.#listeners) await listener(records)
    })
  }

  snapshot(): Buffer {
    return encodeMetadataRecords(imageRecords(this.image))
  }

  restore(state: Buffer): void {
    restoreImage(this.image, decodeMetadataRecords(state))
  }

  async #run<R>(decide: Decide<R>): Promise<R> {
    const { records, response } = decide(this.image)
    if (records.length === 0) return response
    await (this.#node as RaftNode).propose(encodeMetadataRecords(records))
    await this.#followed()
    return response
  }

  /** What a listener could not do is the answer to the command, and does not keep the next change from the listeners. */
  async #followed(): Promise<void> {
    const following = this.#following
    this.#following = following.catch(() => {})
    await following
  }
}

function noteEvent(event: RaftEvent, logger: Logger): void {
  const { type, ...fields } = event
  logger.info(`metadata-${type}`, fields)
}

/** With one voter there is nobody to get the lost entries from. */
function damaged({ stored }: LevelRaftStorage, directory: string): MetadataStoreError {
  const usableTo = stored.entries.at(-1)?.index ?? stored.snapshot?.index ?? 0n
  return new MetadataStoreError('METADATA_CORRUPT', {
    directory,
    message: `Cannot read the metadata in ${directory}: entry ${usableTo + 1n} is damaged or missing`,
    hint: 'Restore the directory from a backup; the partition data beside it is not affected',
  })
}

/** A broker that voted under another name has been started on a disk that is not its own. */
function refuseStrangers(vote: ReplicaKey | undefined, self: ReplicaKey, directory: string): void {
  const [node, disk] = (vote ?? self).split('/')
  const [ownNode, ownDisk] = self.split('/')
  if (node === ownNode && disk === ownDisk) return
  const isOtherNode = node !== ownNode
  throw new MetadataStoreError('IDENTITY_MISMATCH', {
    directory,
    message: isOtherNode
      ? `The data belongs to node.id ${node}, this broker has ${ownNode}`
      : `The metadata belongs to another log directory (directory.id ${disk}), this one is ${ownDisk}`,
    hint: isOtherNode
      ? `Start with node.id=${node}, or with an empty log.dirs`
      : 'Put meta.properties back as it was, or start with an empty log.dirs',
  })
}
