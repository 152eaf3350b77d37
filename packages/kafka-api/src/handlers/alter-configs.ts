import type { ConfigChange, ConfigOperation, Refusal } from '@naru/metadata'
import { refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

type Responses = ResponseOf<typeof apis.alterConfigs>['responses']

const topicType = 2
const operations: readonly ConfigOperation[] = ['set', 'delete', 'append', 'subtract']

export function alterConfigs({ topics }: Pick<Ports, 'topics'>) {
  return defineHandler(apis.alterConfigs, async (request) => {
    const responses: Responses = []
    for (const { resourceType, resourceName, configs } of request.resources) {
      const refused =
        resourceType === topicType
          ? await topics.replaceConfig(resourceName, configs, request.validateOnly)
          : onlyTopics()
      responses.push({ ...outcomeOf(refused), resourceType, resourceName })
    }
    return { throttleTimeMs: 0, responses }
  })
}

export function incrementalAlterConfigs({ topics }: Pick<Ports, 'topics'>) {
  return defineHandler(apis.incrementalAlterConfigs, async (request) => {
    const responses: Responses = []
    for (const { resourceType, resourceName, configs } of request.resources) {
      const changes = configs.map((config): ConfigChange | undefined => {
        const operation = operations[config.configOperation]
        const { name, value } = config
        return operation === undefined ? undefined : { name, operation, value }
      })
      const refused = changes.includes(undefined)
        ? refusal(kafkaErrors.INVALID_REQUEST, 'The operation is not known')
        : resourceType === topicType
          ? await topics.alterConfig(resourceName, changes as ConfigChange[], request.validateOnly)
          : onlyTopics()
      responses.push({ ...outcomeOf(refused), resourceType, resourceName })
    }
    return { throttleTimeMs: 0, responses }
  })
}

function onlyTopics(): Refusal {
  const message =
    'This version changes topic configurations only; a broker reads its file at the start'
  return refusal(kafkaErrors.INVALID_REQUEST, message)
}
