/** A broker that is asked questions: it prepares what they are about, and gives answers that can be compared. */
import { zeroTopicId } from '@naru/model'
import { type Api, apis, type ResponseOf } from '@naru/protocol'
import { type ComparableOptions, Comparables } from './comparable.ts'
import { create, listOffsets, metadata, newTopic, produce } from './requests.ts'
import { type Silence, WireClient } from './wire-client.ts'

/** What a question comes to: by what was asked, the answer in comparable form. */
export type Answers = { [what: string]: unknown }
export type Question = (asked: Asked) => Promise<Answers>
export type Questions = { readonly [name: string]: Question }

const propagationMsMax = 20_000

export class Asked implements AsyncDisposable {
  readonly client: WireClient
  readonly #bootstrap: string
  #comparables = new Comparables()

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
    this.client = new WireClient(bootstrap)
  }

  /** Gives the answers to one question; ids are named anew for each. */
  answers(question: Question): Promise<Answers> {
    this.#comparables = new Comparables()
    return question(this)
  }

  /** A connection of its own, for what must not disturb the others. */
  connect(): WireClient {
    return new WireClient(this.#bootstrap)
  }

  async ask<Q, R>(
    api: Api<Q, R>,
    version: number,
    request: Q,
    options: ComparableOptions = {},
  ): Promise<unknown> {
    return this.comparable(await this.client.ask(api, version, request), options)
  }

  comparable(answer: unknown, options: ComparableOptions = {}): unknown {
    return this.#comparables.of(answer, options)
  }

  /** The same request at the lowest, a middle and the highest version. */
  async atVersions<Q, R>(
    api: Api<Q, R>,
    request: Q | ((version: number) => Q),
    options: ComparableOptions & { versions?: readonly number[] } = {},
  ): Promise<Answers> {
    const { minVersion: low, maxVersion: high } = api
    const versions = options.versions ?? [low, Math.floor((low + high) / 2), high]
    const answers: Answers = {}
    for (const version of new Set(versions)) {
      const made = typeof request === 'function' ? (request as (v: number) => Q)(version) : request
      answers[`version ${version}`] = await this.ask(api, version, made, options)
    }
    return answers
  }

  /** The answer as it came, of which there must be one. */
  async exact<Q, R>(api: Api<Q, R>, version: number, request: Q): Promise<R> {
    return answered(await this.client.ask(api, version, request))
  }

  /** Creates a topic and waits until it can be used: Kafka's brokers learn of it after the answer. */
  async make(name: string, fields: Parameters<typeof newTopic>[1] = {}): Promise<string> {
    const request = create([newTopic(name, fields)])
    const created = await this.exact(apis.createTopics, 7, request)
    const errorCode = created.topics[0]?.errorCode
    if (errorCode !== 0) throw new Error(`Topic ${name} was refused with ${errorCode}`)
    const partitions = created.topics[0]?.numPartitions ?? 0
    return this.usable(name, partitions)
  }

  async usable(name: string, partitions: number): Promise<string> {
    const topic = await this.until(`${name} can be used`, async () => {
      const [found] = await this.#topics(name)
      const ready = found?.partitions.filter(({ leaderId }) => leaderId >= 0) ?? []
      if (ready.length < partitions) return undefined
      return (await this.#isLed(name, ready.length)) ? found : undefined
    })
    return topic.topicId
  }

  /** Kafka's metadata names a leader before the leader knows. */
  async #isLed(name: string, partitions: number): Promise<boolean> {
    const asking = Array.from({ length: partitions }, (_, partitionIndex) => {
      return { partitionIndex, timestamp: -1n }
    })
    const { topics } = await this.exact(apis.listOffsets, 7, listOffsets(name, asking))
    return topics[0]?.partitions.every(({ errorCode }) => errorCode === 0) ?? false
  }

  async gone(name: string): Promise<void> {
    await this.until(`${name} is gone`, async () => {
      const [found] = await this.#topics(name)
      return found?.errorCode === 3 ? true : undefined
    })
  }

  async #topics(name: string): Promise<ResponseOf<typeof apis.metadata>['topics']> {
    return (await this.exact(apis.metadata, 12, metadata([name]))).topics
  }

  async idOf(name: string): Promise<string> {
    const [found] = await this.#topics(name)
    return found?.topicId ?? zeroTopicId
  }

  /** Appends to partition 0 of a topic, which must succeed. */
  async write(topic: string, records: Buffer, partition = 0): Promise<void> {
    const request = produce([{ topic, partition, records }])
    const answer = await this.exact(apis.produce, 9, request)
    const errorCode = answer.responses[0]?.partitionResponses[0]?.errorCode
    if (errorCode !== 0) throw new Error(`A batch for ${topic} was refused with ${errorCode}`)
  }

  /** Asks again and again until there is a value. */
  async until<T>(what: string, get: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + propagationMsMax
    for (;;) {
      const value = await get()
      if (value !== undefined) return value
      if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]()
  }
}

export function answered<R>(answer: R | Silence): R {
  if (answer === 'closed' || answer === 'silent') throw new Error(`No answer: ${answer}`)
  return answer as R
}
