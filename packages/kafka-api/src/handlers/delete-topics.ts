import { isRefusal, type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors, type TopicId, zeroTopicId } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'

interface Named {
  readonly name: string | null
  readonly topicId: TopicId
}

export function deleteTopics({
  topics,
  metadata,
  clock,
}: Pick<Ports, 'topics' | 'metadata' | 'clock'>) {
  return defineHandler(apis.deleteTopics, async (request, { apiVersion }) => {
    const left = timeLeft(clock, request.timeoutMs)
    const named: Named[] =
      apiVersion >= 6
        ? request.topics
        : request.topicNames.map((name) => ({ name, topicId: zeroTopicId }))
    const responses: ResponseOf<typeof apis.deleteTopics>['responses'] = []
    const wanted = Map.groupBy(named, (topic) => idOf(topic) ?? `${topic.name}:${topic.topicId}`)
    for (const same of wanted.values()) {
      const name = same.find((topic) => topic.name !== null)?.name ?? null
      const topicId = same.find((topic) => topic.topicId !== zeroTopicId)?.topicId ?? zeroTopicId
      const result = refusedNames(same) ?? (await topics.delete({ name, topicId }, left()))
      responses.push(
        isRefusal(result)
          ? { name, topicId, ...outcomeOf(result) }
          : { name: result.name, topicId: result.topicId, ...outcomeOf(undefined) },
      )
    }
    return { throttleTimeMs: 0, responses }
  })

  /** A topic may be named in two ways, which is found out before anything is deleted. */
  function idOf({ name, topicId }: Named): TopicId | undefined {
    const { image } = metadata
    return name === null ? image.topicsById.get(topicId)?.topicId : image.topics.get(name)?.topicId
  }
}

/** A request that is not clear about what to delete deletes nothing. */
function refusedNames(same: readonly Named[]): Refusal | undefined {
  const invalid = (message: string) => refusal(kafkaErrors.INVALID_REQUEST, message)
  if (same.length > 1) return invalid('The request names the topic twice')
  const { name, topicId } = same[0] as Named
  if (name === null) return topicId === zeroTopicId ? invalid('Neither name nor id') : undefined
  return topicId === zeroTopicId ? undefined : invalid('A name and an id: only one can be meant')
}
