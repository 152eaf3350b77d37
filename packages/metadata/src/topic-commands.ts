import { kafkaErrors } from '@naru/model'
import {
  array,
  boolean,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  struct,
  uuid,
} from '@naru/protocol'
import { defineCommand, refused } from './command-definition.ts'
import type { ControllerSettings } from './controller-settings.ts'
import { isRefusal, refusal } from './decision.ts'
import type { TopicImage } from './image.ts'
import { decideCreatePartitions, decideCreateTopic, findTopic, type NewTopic } from './topics.ts'

/** What clients ask of topics. */
export const topicCommands = {
  createTopic: defineCommand({
    request: struct({
      topic: struct({
        name: string,
        partitions: int32,
        replicationFactor: int16,
        assignments: array(struct({ partition: int32, replicas: array(int32) })),
        configs: array(struct({ name: string, value: nullableString })),
      }),
      /** Drawn by the caller, so that the decision stays deterministic. */
      topicId: uuid,
      validateOnly: boolean,
    }),
    response: struct({ topicId: uuid, partitions: int32, replicationFactor: int16 }),
    isRepeatable: true,
    decide(image, { topic, topicId, validateOnly }, { settings }) {
      const made = image.topicsById.get(topicId)
      if (made?.name === topic.name) return { records: [], response: answerOf(made) }
      // Made, and deleted since by somebody else: an id never comes back.
      if (image.deletedIds.has(topicId) || image.deletedTopics.has(topicId)) {
        return { records: [], response: { topicId, ...askedSize(topic, settings) } }
      }
      const decided = decideCreateTopic(image, topic, { topicId, settings })
      if (isRefusal(decided)) return refused(decided)
      const { records, ...response } = decided
      return { records: validateOnly ? [] : records, response }
    },
  }),
  deleteTopic: defineCommand({
    /** By name, or by id where the name is null. */
    request: struct({ name: nullableString, topicId: uuid }),
    response: struct({ topicId: uuid, name: string }),
    isRepeatable: false,
    decide(image, named, { settings }) {
      if (!settings.isDeletionEnabled) {
        const message = 'delete.topic.enable is false'
        return refused(refusal(kafkaErrors.TOPIC_DELETION_DISABLED, message))
      }
      const topic = findTopic(image, named)
      if (isRefusal(topic)) return refused(topic)
      const { topicId, name } = topic
      return {
        records: [{ type: 'removeTopic', topicId, holders: null }],
        response: { topicId, name },
      }
    },
  }),
  createPartitions: defineCommand({
    request: struct({
      name: string,
      /** The new total. */
      count: int32,
      /** Replicas of the added partitions; null lets the controller place them. */
      assignments: nullableArray(array(int32)),
      validateOnly: boolean,
    }),
    response: struct({}),
    isRepeatable: false,
    decide(image, { validateOnly, ...request }, { settings }) {
      const decided = decideCreatePartitions(image, request, settings)
      if (isRefusal(decided)) return refused(decided)
      return { records: validateOnly ? [] : decided, response: {} }
    },
  }),
}

/** It was asked before, and its answer was lost: the id, which nobody else draws, tells. */
function answerOf({ topicId, partitions }: TopicImage) {
  const replicationFactor = partitions[0]?.replicas.length ?? 0
  return { topicId, partitions: partitions.length, replicationFactor }
}

function askedSize(topic: NewTopic, { defaults }: ControllerSettings) {
  const { partitions, replicationFactor, assignments } = topic
  const [first] = assignments
  if (first !== undefined) {
    return { partitions: assignments.length, replicationFactor: first.replicas.length }
  }
  return {
    partitions: partitions === -1 ? defaults.partitions : partitions,
    replicationFactor: replicationFactor === -1 ? defaults.replicationFactor : replicationFactor,
  }
}
