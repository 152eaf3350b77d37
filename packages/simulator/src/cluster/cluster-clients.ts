/** Clients that change and read the metadata through any broker, one thing at a time each, and remember what they were told. */
import { randomId } from '@naru/base'
import { configKey, isRefusal, resourceTypes } from '@naru/metadata'
import {
  type ProducerIdBlock,
  producerIdModel,
  type TopicInput,
  type TopicOutput,
  topicModel,
} from '../metadata-models.ts'
import { type Call, checkHistory, OperationHistory } from '../operation-history.ts'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import type { NodeLife } from './cluster-node.ts'
import type { ClusterWorld } from './cluster-world.ts'

const names = ['a', 'b', 'c']
const setting = 'retention.ms'
const operationsPerTopic = 100
/** Steps of the search for an order of the operations on one topic. */
const stepsMax = 200_000

interface Creation {
  readonly topicId: string
  readonly call: Call<TopicOutput>
  readonly partitions: number
  answer: 'created' | 'refused' | undefined
}

type Runtime = NonNullable<NodeLife['runtime']>

export class ClusterClients {
  readonly #world: ClusterWorld
  readonly #random: SeededRandom
  readonly #topics = new OperationHistory<TopicInput, TopicOutput>()
  readonly #producerIds = new OperationHistory<'allocate', ProducerIdBlock>()
  readonly #creations: Creation[] = []
  /** By client: the process that it waits for. */
  readonly #waiting = new Map<number, NodeLife>()
  readonly #asked = new Map<string, number>()
  answered = 0

  constructor(world: ClusterWorld) {
    this.#world = world
    this.#random = world.random.split()
  }

  /** Every client that waits for nobody asks something. */
  act(): void {
    for (let client = 0; client < this.#world.options.clients; client++) {
      const life = this.#waiting.get(client)
      if (life !== undefined && life.process.state !== 'dead') continue
      this.#waiting.delete(client)
      const { ready } = this.#world
      if (ready.length > 0 && this.#random.chance(0.7)) this.#ask(client, this.#random.pick(ready))
    }
  }

  /** Everything about every topic is read through every broker. */
  async readAll(): Promise<void> {
    const reads = this.#world.ready.flatMap(({ runtime }) =>
      names.flatMap((name) => [
        this.#read(runtime as Runtime, { type: 'describe', name }),
        this.#read(runtime as Runtime, { type: 'readConfig', name, key: setting }),
      ]),
    )
    let isDone = false
    void Promise.all(reads).then(() => {
      isDone = true
    })
    // What was asked over a link that is dead is given up only then.
    await this.#world.runUntil(this.#world.clock.monotonic() + 35_000, () => isDone)
    mustHold(isDone, 'progress', () => 'reads are not answered')
  }

  /** Throws when no order of what was done explains what was answered. */
  check(): void {
    for (const { topicId, call, partitions, answer } of this.#creations) {
      const isMade = this.#world.truth.hasHad(topicId)
      mustHold(isMade || answer !== 'created', 'nothing acknowledged is lost', () => topicId)
      if (isMade && answer !== 'created') call.ok({ type: 'created', id: topicId, partitions })
      if (!isMade && answer === undefined) call.failed()
    }
    const objectOf = ({ name }: TopicInput) => name
    const verdicts = [
      checkHistory(topicModel, this.#topics.operations, { objectOf, stepsMax }),
      checkHistory(producerIdModel, this.#producerIds.operations, {
        objectOf: () => 'producer ids',
        stepsMax,
      }),
    ]
    for (const { violations, undecided } of verdicts) {
      const [found] = violations
      mustHold(found === undefined, 'linearizable', () => `${found?.object}: ${found?.detail}`)
      mustHold(undecided.length === 0, 'linearizable', () => `${undecided.join()}: undecided`)
    }
  }

  #ask(client: number, life: NodeLife): void {
    const name = this.#random.pick(names)
    const asked = this.#asked.get(name) ?? 0
    const answer =
      asked < operationsPerTopic && this.#random.chance(0.9)
        ? this.#askTopic(life.runtime as Runtime, name)
        : this.#allocate(life.runtime as Runtime)
    this.#asked.set(name, asked + 1)
    this.#waiting.set(client, life)
    // A bug shows where it is.
    answer.then(
      () => {
        this.answered++
        this.#waiting.delete(client)
      },
      (error: unknown) => {
        life.bug ??= error
      },
    )
  }

  #askTopic(runtime: Runtime, name: string): Promise<void> {
    switch (this.#random.below(8)) {
      case 0:
      case 1:
        return this.#create(runtime, name)
      case 2:
        return this.#change(runtime, { type: 'delete', name })
      case 3:
        return this.#change(runtime, {
          type: 'addPartitions',
          name,
          count: 2 + this.#random.below(6),
        })
      case 4:
        return this.#change(runtime, {
          type: 'setConfig',
          name,
          key: setting,
          value: String(1_000 + this.#random.below(100)),
        })
      case 5:
        return this.#read(runtime, { type: 'readConfig', name, key: setting })
      default:
        return this.#read(runtime, { type: 'describe', name })
    }
  }

  async #create(runtime: Runtime, name: string): Promise<void> {
    const topicId = randomId(this.#random)
    const partitions = 1 + this.#random.below(3)
    const call = this.#topics.invoke({ type: 'create', name, partitions })
    const creation: Creation = { topicId, call, partitions, answer: undefined }
    this.#creations.push(creation)
    const answer = await runtime.submit({
      type: 'createTopic',
      topic: {
        name,
        partitions,
        replicationFactor: this.#random.pick([1, 2, 3]),
        assignments: [],
        configs: this.#random.chance(0.3)
          ? [{ name: 'min.insync.replicas', value: String(1 + this.#random.below(2)) }]
          : [],
      },
      topicId,
      validateOnly: false,
    })
    if (!isRefusal(answer)) {
      creation.answer = 'created'
      call.ok({ type: 'created', id: topicId, partitions })
    } else if (answer.error.name === 'TOPIC_ALREADY_EXISTS') {
      creation.answer = 'refused'
      call.ok({ type: 'alreadyExists' })
    } else if (answer.error.name !== 'REQUEST_TIMED_OUT') {
      creation.answer = 'refused'
      call.failed()
    }
  }

  async #change(
    runtime: Runtime,
    input: TopicInput & { readonly type: 'delete' | 'addPartitions' | 'setConfig' },
  ): Promise<void> {
    const call = this.#topics.invoke(input)
    const answer = await runtime.submit(commandOf(input))
    if (!isRefusal(answer)) call.ok({ type: 'done' })
    else if (answer.error.name === 'UNKNOWN_TOPIC_OR_PARTITION') call.ok({ type: 'unknownTopic' })
    else if (answer.error.name === 'INVALID_PARTITIONS') call.ok({ type: 'notMore' })
    else if (answer.error.name !== 'REQUEST_TIMED_OUT') call.failed()
  }

  /** From the broker's own copy, once the controller has said how far everything acknowledged reaches. */
  async #read(
    runtime: Runtime,
    input: TopicInput & { readonly type: 'describe' | 'readConfig' },
  ): Promise<void> {
    const { name } = input
    const call = this.#topics.invoke(input)
    const nothing = randomId(this.#random)
    const barrier = await runtime.submit({ type: 'deleteTopic', name: null, topicId: nothing })
    if (!isRefusal(barrier) || barrier.error.name !== 'UNKNOWN_TOPIC_ID') return call.failed()
    const topic = runtime.image.topics.get(name)
    if (topic === undefined) return call.ok({ type: 'unknownTopic' })
    if (input.type === 'describe') {
      const { topicId: id, partitions } = topic
      return call.ok({ type: 'topic', id, partitions: partitions.length })
    }
    const configs = runtime.image.configs.get(configKey(resourceTypes.topic, name))
    call.ok({ type: 'config', value: configs?.get(input.key) })
  }

  async #allocate(runtime: Runtime): Promise<void> {
    const call = this.#producerIds.invoke('allocate')
    const answer = await runtime.submit({ type: 'allocateProducerIds' })
    if (isRefusal(answer)) return
    call.ok({ first: Number(answer.firstProducerId), length: answer.count })
  }
}

function commandOf(
  input: TopicInput & { readonly type: 'delete' | 'addPartitions' | 'setConfig' },
) {
  const { name } = input
  if (input.type === 'delete') {
    return { type: 'deleteTopic', name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' } as const
  }
  if (input.type === 'addPartitions') {
    const { count } = input
    return {
      type: 'createPartitions',
      name,
      count,
      assignments: null,
      validateOnly: false,
    } as const
  }
  const change = { name: input.key, operation: 'set', value: input.value } as const
  return { type: 'alterTopicConfig', topic: name, changes: [change], validateOnly: false } as const
}
