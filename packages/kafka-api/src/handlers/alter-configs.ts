import type { ConfigChange, ConfigOperation, Refusal } from '@naru/metadata'
import { refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

type Responses = ResponseOf<typeof apis.alterConfigs>['responses']

const topicType = 2

type Resource = { readonly resourceType: number; readonly resourceName: string }

/** Resources that a request names more than once, by a key of their own: each of them is refused. */
function namedTwice(resources: readonly Resource[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(resources.map(keyOf).filter((key) => seen.size === seen.add(key).size))
}

function keyOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType}:${resourceName}`
}

const operations: readonly ConfigOperation[] = ['set', 'delete', 'append', 'subtract']

export function alterConfigs({ topics }: Pick<Ports, 'topics'>) {
  return defineHandler(apis.alterConfigs, async (request) => {
    const responses: Responses = []
    const twice = namedTwice(request.resources)
    for (const { resourceType, resourceName, configs } of request.resources) {
      const refused =
        refusedResource({ resourceType, resourceName }, twice) ??
        (await topics.replaceConfig(resourceName, configs, request.validateOnly))
      responses.push({ ...outcomeOf(refused), resourceType, resourceName })
    }
    return { throttleTimeMs: 0, responses }
  })
}

export function incrementalAlterConfigs({ topics }: Pick<Ports, 'topics'>) {
  return defineHandler(apis.incrementalAlterConfigs, async (request) => {
    const responses: Responses = []
    const twice = namedTwice(request.resources)
    for (const { resourceType, resourceName, configs } of request.resources) {
      const changes = configs.map((config): ConfigChange | undefined => {
        const operation = operations[config.configOperation]
        const { name, value } = config
        return operation === undefined ? undefined : { name, operation, value }
      })
      const unknown = changes.includes(undefined)
        ? refusal(kafkaErrors.INVALID_REQUEST, 'The operation is not known')
        : undefined
      const refused =
        refusedResource({ resourceType, resourceName }, twice) ??
        unknown ??
        (await topics.alterConfig(resourceName, changes as ConfigChange[], request.validateOnly))
      responses.push({ ...outcomeOf(refused), resourceType, resourceName })
    }
    return { throttleTimeMs: 0, responses }
  })
}

function refusedResource(resource: Resource, twice: ReadonlySet<string>): Refusal | undefined {
  if (twice.has(keyOf(resource))) {
    return refusal(kafkaErrors.INVALID_REQUEST, 'The request names the resource twice')
  }
  if (resource.resourceType === topicType) return undefined
  const message =
    'This version changes topic configurations only; a broker reads its file at the start'
  return refusal(kafkaErrors.INVALID_REQUEST, message)
}
