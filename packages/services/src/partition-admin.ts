/** Partitions as an operator sees and changes them: each change is decided by the controller, for each partition by itself. */
import type { MetadataRuntime } from '@naru/consensus'
import {
  type ElectionKind,
  isRefusal,
  type LogEnds,
  type PartitionImage,
  type PartitionResult,
  type Refusal,
  refusal,
  uncleanElectionKey,
} from '@naru/metadata'
import { kafkaErrorByCode, kafkaErrors, type NodeId, topicPartitionKey } from '@naru/model'
import { explainPartition, type PartitionExplanation } from './partition-explanation.ts'
import type { PartitionHistory } from './partition-history.ts'
import type { TopicConfigs } from './topic-configs.ts'

export interface NamedPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionMove extends NamedPartition {
  /** Null takes back a reassignment that is under way. */
  readonly replicas: readonly NodeId[] | null
}

export interface PartitionOutcome extends NamedPartition {
  readonly refusal: Refusal | undefined
}

export interface Reassignment extends NamedPartition {
  /** Those that stay, come and go. */
  readonly replicas: readonly NodeId[]
  readonly adding: readonly NodeId[]
  readonly removing: readonly NodeId[]
}

export interface PartitionAdminOptions {
  readonly metadata: Pick<MetadataRuntime, 'image' | 'submit'>
  readonly logEnds: LogEnds
  readonly history: Pick<PartitionHistory, 'of'>
  readonly topicConfigs: Pick<TopicConfigs, 'setting'>
}

/** Partitions in one command: its records become one entry of the log. */
const perCommandMax = 1_000

type Found = NamedPartition & { readonly image: PartitionImage }

export class PartitionAdmin {
  readonly #options: PartitionAdminOptions

  constructor(options: PartitionAdminOptions) {
    this.#options = options
  }

  /**
   * Has the preferred replica of each partition lead, or where nobody leads one that may have lost records. Null means every
   * partition that needs it. One outcome for each that was asked for; a refusal when no controller has answered.
   */
  async elect(
    kind: ElectionKind,
    asked: readonly NamedPartition[] | null,
    left: () => number,
  ): Promise<PartitionOutcome[] | Refusal> {
    const wanted = asked ?? this.#inNeedOf(kind)
    const outcomes = await this.#each(wanted, async (found) => {
      const images = found.map(({ image }) => image)
      const ends = kind === 'unclean' ? await this.#options.logEnds(images) : []
      const partitions = images.map(({ topicId, partition }, at) => {
        return { topicId, partition, candidates: ends[at] ?? [] }
      })
      const command = { type: 'electLeaders', kind, isCommanded: true, partitions } as const
      return this.#options.metadata.submit(command, left())
    })
    if (isRefusal(outcomes) || asked !== null) return outcomes
    // Where somebody else was faster there was nothing to do.
    return outcomes.filter(({ refusal: no }) => no?.error !== kafkaErrors.ELECTION_NOT_NEEDED)
  }

  /** Starts moving partitions to other brokers, or takes it back. One that is named twice moves to where it is sent last. */
  reassign(
    moves: readonly PartitionMove[],
    { allowsOtherFactor, left }: { allowsOtherFactor: boolean; left: () => number },
  ): Promise<PartitionOutcome[] | Refusal> {
    const targets = new Map(moves.map((move) => [keyOf(move), move.replicas]))
    return this.#each(moves, (found) => {
      const partitions = found.map(({ image, ...named }) => ({
        topicId: image.topicId,
        partition: image.partition,
        replicas: targets.get(keyOf(named)) ?? null,
      }))
      const command = { type: 'reassignPartitions', allowsOtherFactor, partitions } as const
      return this.#options.metadata.submit(command, left())
    })
  }

  /** The reassignments that are under way; null means of all partitions. */
  reassignments(asked: readonly NamedPartition[] | null): Reassignment[] {
    const among = asked === null ? this.#all() : asked.map((named) => this.#find(named))
    return [...among]
      .filter((found) => found !== undefined)
      .map(({ topic, partition, image }) => ({
        ...{ topic, partition, replicas: image.replicas },
        ...{ adding: image.addingReplicas, removing: image.removingReplicas },
      }))
      .filter(({ adding, removing }) => adding.length + removing.length > 0)
  }

  /** Why a partition is as it is. */
  explain(named: NamedPartition): PartitionExplanation | Refusal {
    const found = this.#find(named)
    if (found === undefined) return unknown(named)
    const { topic, partition, image } = found
    const { history, metadata, topicConfigs } = this.#options
    const past = history.of(image.topicId, partition)
    const allowsUnclean = topicConfigs.setting(topic, uncleanElectionKey) === 'true'
    return explainPartition(metadata.image, { topic, partition: image, allowsUnclean }, past)
  }

  /** Asks the controller about those that there are, each once, some at a time. */
  async #each(
    asked: readonly NamedPartition[],
    submit: (
      found: readonly Found[],
    ) => Promise<{ readonly partitions: readonly PartitionResult[] } | Refusal>,
  ): Promise<PartitionOutcome[] | Refusal> {
    const unique = new Map(asked.map((named) => [keyOf(named), this.#find(named)]))
    const found = [...unique.values()].filter((each) => each !== undefined)
    const refusals = new Map<string, Refusal>()
    for (let from = 0; from < found.length; from += perCommandMax) {
      const some = found.slice(from, from + perCommandMax)
      const answer = await submit(some)
      if (isRefusal(answer)) return answer
      for (const [index, { errorCode, message }] of answer.partitions.entries()) {
        if (errorCode === kafkaErrors.NONE.code) continue
        const key = keyOf(some[index] as Found)
        refusals.set(key, refusal(kafkaErrorByCode(errorCode), message))
      }
    }
    return asked.map((named) => {
      const key = keyOf(named)
      const no = unique.get(key) === undefined ? unknown(named) : refusals.get(key)
      return { topic: named.topic, partition: named.partition, refusal: no }
    })
  }

  #inNeedOf(kind: ElectionKind): Found[] {
    const isInNeed = ({ image }: Found) =>
      kind === 'preferred' ? image.leader !== image.replicas[0] : image.leader === -1
    return [...this.#all()].filter(isInNeed)
  }

  *#all(): Generator<Found> {
    for (const { name: topic, partitions } of this.#options.metadata.image.topics.values()) {
      for (const image of partitions) yield { topic, partition: image.partition, image }
    }
  }

  #find({ topic, partition }: NamedPartition): Found | undefined {
    const image = this.#options.metadata.image.topics.get(topic)?.partitions[partition]
    return image && { topic, partition, image }
  }
}

function keyOf({ topic, partition }: NamedPartition): string {
  return topicPartitionKey(topic, partition)
}

function unknown({ topic, partition }: NamedPartition): Refusal {
  const message = `There is no partition ${partition} of a topic ${topic}`
  return refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message)
}
