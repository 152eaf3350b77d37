import { isRefusal } from '@naru/metadata'
import { zeroTopicId } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

export function deleteTopics({ topics }: Pick<Ports, 'topics'>) {
  return defineHandler(apis.deleteTopics, async (request, { apiVersion }) => {
    const named =
      apiVersion >= 6
        ? request.topics
        : request.topicNames.map((name) => ({ name, topicId: zeroTopicId }))
    const responses: ResponseOf<typeof apis.deleteTopics>['responses'] = []
    for (const topic of named) {
      const result = await topics.delete(topic)
      responses.push(
        isRefusal(result)
          ? { ...topic, ...outcomeOf(result) }
          : { name: result.name, topicId: result.topicId, ...outcomeOf(undefined) },
      )
    }
    return { throttleTimeMs: 0, responses }
  })
}
