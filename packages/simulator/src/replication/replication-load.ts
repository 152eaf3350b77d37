/** What is done with the cluster: topics come and go and change, their partitions move, and clients write to them and read them. */
import { randomId } from '@naru/base'
import type { Command } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import type { Acks } from '@naru/services'
import type { SeededRandom } from '../seeded-random.ts'
import type { PartitionName } from './leader-guess.ts'
import { deleteRecords } from './record-deletion.ts'
import { somePartition } from './replication-faults.ts'
import { releasing, throttling } from './replication-throttles.ts'
import type { ReplicationWorld } from './replication-world.ts'
import { SimulatedConsumer } from './simulated-consumer.ts'
import { SimulatedProducer } from './simulated-producer.ts'

const names = ['a', 'b', 'c']
const recordsMax = 150

export class ReplicationLoad {
  readonly #world: ReplicationWorld
  readonly #random: SeededRandom
  readonly #producers = new Set<SimulatedProducer>()
  readonly #consumers = new Set<SimulatedConsumer>()
  /** Partitions that have their clients. */
  readonly #served = new Set<string>()
  #lastId = 0
  #isOver = false

  constructor(world: ReplicationWorld) {
    this.#world = world
    this.#random = world.random.split()
  }

  get producers(): ReadonlySet<SimulatedProducer> {
    return this.#producers
  }

  get consumers(): ReadonlySet<SimulatedConsumer> {
    return this.#consumers
  }

  act(): void {
    this.#serve()
    if (this.#isOver) {
      this.#release()
      return
    }
    for (const producer of this.#producers) {
      if (producer.sent < recordsMax && this.#random.chance(0.7)) producer.produce()
    }
    if (this.#random.chance(0.5)) this.#create()
    if (this.#random.chance(0.2)) this.#operate()
    if (this.#world.dataOptions.deletesRecords && this.#random.chance(0.1)) this.#delete()
    if (this.#world.dataOptions.throttles && this.#random.chance(0.1)) this.#throttle()
  }

  /** Nothing new is asked for. */
  finish(): void {
    this.#isOver = true
  }

  /** Consumers read no more, and who waits for a partition that only an operator could bring back waits no more. */
  close(): void {
    for (const producer of this.#producers) producer.abandon()
    for (const consumer of this.#consumers) consumer.stop()
  }

  /** Partitions that are there get their clients, those of others go. */
  #serve(): void {
    const { image } = this.#world.truth
    for (const client of [...this.#producers, ...this.#consumers]) {
      if (image.topicsById.has(client.name.topicId)) continue
      if (client instanceof SimulatedProducer) {
        client.abandon()
        this.#producers.delete(client)
      } else {
        client.stop()
        this.#consumers.delete(client)
      }
    }
    for (const { name: topic, topicId, partitions } of image.topics.values()) {
      for (const { partition } of partitions) {
        const key = `${topicId}-${partition}`
        if (this.#served.has(key)) continue
        this.#served.add(key)
        this.#attach({ topic, topicId, partition })
      }
    }
  }

  #attach(name: PartitionName): void {
    const { producers, consumers } = this.#world.dataOptions
    for (let at = 0; at < producers; at++) {
      const id = ++this.#lastId
      const isIdempotent = at === 0 || this.#random.chance(0.6)
      const weak: Acks = this.#random.chance(0.5) ? 0 : 1
      const acks: Acks = isIdempotent || this.#random.chance(0.5) ? -1 : weak
      const inFlightMax = this.#random.pick([1, 5])
      const options = { id, acks, isIdempotent, inFlightMax }
      if (isIdempotent) this.#world.history.idempotent.add(id)
      this.#producers.add(
        new SimulatedProducer(this.#world, this.#random.split(), { name, options }),
      )
    }
    for (let at = 0; at < consumers; at++) {
      const id = ++this.#lastId
      this.#consumers.add(new SimulatedConsumer(this.#world, this.#random.split(), { id, name }))
    }
  }

  #create(): void {
    const { truth, dataOptions, nodes } = this.#world
    if (truth.image.topics.size >= dataOptions.topics) return
    const replicationFactor = Math.min(nodes.length, this.#random.pick([2, 3, 3, 3]))
    const configs = [{ name: 'min.insync.replicas', value: this.#random.pick(['1', '2', '2']) }]
    if (dataOptions.hasUnflushed) {
      configs.push({ name: 'naru.flush', value: this.#random.pick(['ack', 'async', 'never']) })
    }
    this.#submit({
      type: 'createTopic',
      topic: {
        name: this.#random.pick(names),
        partitions: this.#random.pick([1, 1, 2, 3]),
        replicationFactor,
        assignments: [],
        configs,
      },
      topicId: randomId(this.#random),
      validateOnly: false,
    })
  }

  #throttle(): void {
    const command = throttling(this.#world, this.#random)
    if (command !== undefined) this.#submit(command)
  }

  /** Replicas that catch up may need more than the rate that they were left with. */
  #release(): void {
    const { truth, nodes } = this.#world
    const ids = nodes.map(({ id }) => id)
    const command = releasing(truth.image, ids)
    if (command !== undefined) this.#submit(command)
  }

  #delete(): void {
    const state = somePartition(this.#world, this.#random)
    const topic = this.#world.truth.image.topicsById.get(state?.topicId ?? '')
    if (state === undefined || topic === undefined) return
    const { topicId, partition } = state
    deleteRecords(this.#world, this.#random, { topic: topic.name, topicId, partition })
  }

  #operate(): void {
    const { truth } = this.#world
    const state = somePartition(this.#world, this.#random)
    const topic = truth.image.topicsById.get(state?.topicId ?? '')
    if (state === undefined || topic === undefined) return
    const { topicId, partition } = state
    const at = { topicId, partition }
    const kind = this.#random.below(12)
    if (kind === 0) this.#submit({ type: 'deleteTopic', name: topic.name, topicId: nobody })
    else if (kind < 4) this.#configure(topic.name)
    else if (kind < 7) {
      const partitions = [{ ...at, candidates: [] }]
      this.#submit({ type: 'electLeaders', kind: 'preferred', isCommanded: true, partitions })
    } else {
      const replicas = this.#random.chance(0.2) ? null : this.#otherReplicas(state.replicas.length)
      this.#submit({
        type: 'reassignPartitions',
        allowsOtherFactor: true,
        partitions: [{ ...at, replicas }],
      })
    }
  }

  #otherReplicas(count: number): number[] {
    const left = this.#world.nodes.map(({ id }) => id)
    const chosen: number[] = []
    while (chosen.length < Math.min(3, count) && left.length > 0) {
      chosen.push(...left.splice(this.#random.below(left.length), 1))
    }
    return chosen
  }

  #configure(topic: string): void {
    const isFlush = this.#world.dataOptions.hasUnflushed && this.#random.chance(0.5)
    const name = isFlush ? 'naru.flush' : 'min.insync.replicas'
    const value = this.#random.pick(isFlush ? ['ack', 'async', 'never'] : ['1', '2'])
    // Where one replica is enough nobody else is eligible, and the one may be the one that has lost its disk.
    const { promises, lowering } = this.#world
    const isLowering = value === '1'
    if (isLowering && promises.isAnythingLost) return
    const changes = [{ name, operation: 'set', value }] as const
    if (isLowering) lowering.push(topic)
    this.#submit({ type: 'alterTopicConfig', topic, changes, validateOnly: false }, (outcome) => {
      const isKnown = !('error' in outcome) || outcome.error !== kafkaErrors.REQUEST_TIMED_OUT
      if (isLowering && isKnown) lowering.splice(lowering.indexOf(topic), 1)
    })
  }

  /** Through any broker. What comes of it shows in the log. */
  #submit(command: Command, done: (outcome: object) => void = () => {}): void {
    const { ready } = this.#world
    if (ready.length === 0) return
    const life = this.#random.pick(ready)
    life.runtime?.submit(command).then(done, (error: unknown) => {
      life.bug ??= error
    })
  }
}

const nobody = 'AAAAAAAAAAAAAAAAAAAAAA'
