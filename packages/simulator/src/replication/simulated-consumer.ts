/**
 * A consumer of one partition: reads from whom it takes for the leader, or from any replica (KIP-392), and remembers where it is. What it
 * reads is what is committed.
 */
import { kafkaErrors } from '@naru/model'
import { batchesOf, readBatchHeader } from '@naru/records'
import { type FetchedPartition, fetch } from '@naru/services'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { ClientConnection } from './client-connection.ts'
import { LeaderGuess, type PartitionName } from './leader-guess.ts'
import type { ReplicationWorld } from './replication-world.ts'

const waitMs = 200
const answerMs = 900
const pauseMs = 20
/** Of its requests. */
const toAnyReplica = 0.4

export class SimulatedConsumer {
  readonly id: number
  readonly name: PartitionName
  readonly #world: ReplicationWorld
  readonly #random: SeededRandom
  readonly #guess: LeaderGuess
  /** To a broker of which nobody said that it leads. */
  #other: ClientConnection | undefined
  #position = 0n
  /** The log began there, perhaps within a batch. */
  #startedAt = 0n
  #isStopped = false

  constructor(
    world: ReplicationWorld,
    random: SeededRandom,
    target: { readonly id: number; readonly name: PartitionName },
  ) {
    this.#world = world
    this.#random = random
    this.id = target.id
    this.name = target.name
    this.#guess = new LeaderGuess(world, random, target.name)
    this.#poll()
  }

  get position(): bigint {
    return this.#position
  }

  stop(): void {
    this.#isStopped = true
  }

  #poll(): void {
    if (this.#isStopped) return
    const isToAny = this.#random.chance(toAnyReplica)
    const connection = isToAny ? this.#toAny() : this.#guess.connection
    if (connection === undefined) {
      this.#pause()
      return
    }
    const { topic, topicId, partition } = this.name
    const currentLeaderEpoch = this.#random.chance(0.5) ? this.#guess.leaderEpoch : -1
    connection.ask<FetchedPartition>(
      answerMs,
      ({ partitions }, { process }, done) => {
        const found = partitions?.replica(topic, partition)
        const host = found !== undefined && 'append' in found ? found : undefined
        const isThis = host?.topicId === topicId
        const asked = {
          host: isThis ? host : undefined,
          fetchOffset: this.#position,
          maxBytes: 2_000,
          currentLeaderEpoch,
          lastFetchedEpoch: -1,
        }
        const request = {
          partitions: [asked],
          maxWaitMs: waitMs,
          minBytes: 1,
          maxBytes: 4_000,
          isReadCommitted: false,
          followers: { nearest: () => undefined },
          onClose: () => {},
        }
        void fetch(process, request).then(([result]) => done(result as FetchedPartition))
      },
      (result) => this.#fetched(result),
    )
  }

  #toAny(): ClientConnection {
    if (this.#other?.isClosed === false && this.#random.chance(0.8)) return this.#other
    this.#other?.close()
    const node = this.#random.pick(this.#world.nodes)
    this.#other = new ClientConnection(this.#world, node, this.#random)
    return this.#other
  }

  #fetched(result: FetchedPartition | undefined): void {
    if (result?.error === kafkaErrors.OFFSET_OUT_OF_RANGE && this.#isDeleted) {
      this.#seekToStart()
      return
    }
    if (result === undefined || result.error !== kafkaErrors.NONE) {
      this.#guess.forget()
      this.#pause()
      return
    }
    const { topicId, partition } = this.name
    const committed = this.#world.promises.committedOf(topicId, partition)
    mustHold(
      result.highWatermark <= committed.endOffset,
      'nobody is told of what is not committed',
      () => `${this.id}: ${result.highWatermark} beyond ${committed.endOffset}`,
    )
    for (const batch of batchesOf(result.records)) {
      const { baseOffset, lastOffset } = readBatchHeader(batch)
      mustHold(
        baseOffset === this.#position ||
          (this.#startedAt === this.#position && baseOffset < this.#position),
        'polls go on where they were',
        () => `${this.id} at ${this.#position} got ${baseOffset}`,
      )
      committed.read(`consumer ${this.id}`, batch, baseOffset)
      this.#position = lastOffset + 1n
    }
    if (result.records.length === 0) this.#pause()
    else this.#poll()
  }

  /** Whether somebody wanted to have deleted what it is to read. */
  get #isDeleted(): boolean {
    const { topicId, partition } = this.name
    return this.#position < this.#world.promises.committedOf(topicId, partition).deletedTo
  }

  /** As `auto.offset.reset=earliest`: ListOffsets, of the leader. */
  #seekToStart(): void {
    const { topic, topicId, partition } = this.name
    const { connection } = this.#guess
    if (connection === undefined) {
      this.#pause()
      return
    }
    connection.ask<bigint | undefined>(
      answerMs,
      ({ partitions }, _, done) => {
        const host = partitions?.leading(topic, partition)
        const isThis = host !== undefined && 'append' in host && host.topicId === topicId
        done(isThis ? host.leader?.logStartOffset : undefined)
      },
      (logStartOffset) => this.#began(logStartOffset),
    )
  }

  #began(logStartOffset: bigint | undefined): void {
    if (logStartOffset === undefined) this.#guess.forget()
    else if (logStartOffset > this.#position) {
      const { topicId, partition } = this.name
      const committed = this.#world.promises.committedOf(topicId, partition)
      committed.begins(`what consumer ${this.id} was told`, logStartOffset)
      this.#position = logStartOffset
      this.#startedAt = logStartOffset
    }
    this.#pause()
  }

  #pause(): void {
    this.#world.clock.setTimer(pauseMs, () => this.#poll())
  }
}
