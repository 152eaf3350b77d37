/**
 * Topics as clients ask for them: each command is decided by the controller, and answered when the partitions can be used. Whoever
 * does not want to wait as long as a command may take says how long.
 */
import { type Random, randomId } from '@naru/base'
import type { MetadataRuntime } from '@naru/consensus'
import {
  type ConfigChange,
  isRefusal,
  type NewTopic,
  type Refusal,
  type ResponseOf,
} from '@naru/metadata'
import type { NodeId, TopicId } from '@naru/model'

export interface TopicsOptions {
  readonly metadata: MetadataRuntime
  readonly random: Random
}

export type CreatedTopic = ResponseOf<'createTopic'>

export class Topics {
  readonly #options: TopicsOptions

  constructor(options: TopicsOptions) {
    this.#options = options
  }

  /** Creates one topic; with `validateOnly` it only says what would happen. */
  create(
    topic: NewTopic,
    validateOnly: boolean,
    timeoutMs?: number,
  ): Promise<CreatedTopic | Refusal> {
    const { metadata, random } = this.#options
    const topicId = randomId(random)
    return metadata.submit({ type: 'createTopic', topic, topicId, validateOnly }, timeoutMs)
  }

  delete(
    named: { name: string | null; topicId: TopicId },
    timeoutMs?: number,
  ): Promise<ResponseOf<'deleteTopic'> | Refusal> {
    return this.#options.metadata.submit({ type: 'deleteTopic', ...named }, timeoutMs)
  }

  /** Adds partitions; `count` is the new total. */
  async grow(
    request: { name: string; count: number; assignments: readonly (readonly NodeId[])[] | null },
    validateOnly: boolean,
    timeoutMs?: number,
  ): Promise<Refusal | undefined> {
    const command = { type: 'createPartitions', ...request, validateOnly } as const
    return refusalIn(await this.#options.metadata.submit(command, timeoutMs))
  }

  /** Changes a topic's own settings. */
  async alterConfig(
    topic: string,
    changes: readonly ConfigChange[],
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    const command = { type: 'alterTopicConfig', topic, changes, validateOnly } as const
    return refusalIn(await this.#options.metadata.submit(command))
  }

  /** Replaces a topic's own settings with those given. */
  async replaceConfig(
    topic: string,
    wanted: readonly { name: string; value: string | null }[],
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    const command = { type: 'replaceTopicConfig', topic, configs: wanted, validateOnly } as const
    return refusalIn(await this.#options.metadata.submit(command))
  }
}

function refusalIn(answer: object): Refusal | undefined {
  return isRefusal(answer) ? answer : undefined
}
