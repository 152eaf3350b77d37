import type { ConfigChange, ConfigOperation, Refusal } from '@naru/metadata'
import { refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

type Responses = ResponseOf<typeof apis.alterConfigs>['responses']
type Change = RequestOf<typeof apis.incrementalAlterConfigs>['resources'][number]['configs'][number]

const topicType = 2
const brokerType = 4

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

type Altered = Pick<Ports, 'topics' | 'brokerConfigs' | 'nodeId'>

export function incrementalAlterConfigs({ topics, brokerConfigs, nodeId }: Altered) {
  return defineHandler(apis.incrementalAlterConfigs, async (request) => {
    const responses: Responses = []
    const twice = namedTwice(request.resources)
    for (const { resourceType, resourceName, configs } of request.resources) {
      const resource = { resourceType, resourceName }
      const refused = await alter(resource, { configs, twice, isDry: request.validateOnly })
      responses.push({ ...outcomeOf(refused), ...resource })
    }
    return { throttleTimeMs: 0, responses }
  })

  async function alter(
    resource: Resource,
    asked: { configs: readonly Change[]; twice: ReadonlySet<string>; isDry: boolean },
  ): Promise<Refusal | undefined> {
    const { configs, twice, isDry } = asked
    const changes = configs.map(({ name, value, configOperation }): ConfigChange | undefined => {
      const operation = operations[configOperation]
      return operation === undefined ? undefined : { name, operation, value }
    })
    const isMine = isOfBroker(resource, nodeId)
    const refused = isMine ? refusedTwice(resource, twice) : refusedResource(resource, twice)
    if (refused !== undefined) return refused
    if (changes.includes(undefined)) {
      return refusal(kafkaErrors.INVALID_REQUEST, 'The operation is not known')
    }
    const known = changes as ConfigChange[]
    return isMine
      ? brokerConfigs.alter(resource.resourceName, known, isDry)
      : topics.alterConfig(resource.resourceName, known, isDry)
  }
}

/** The settings of a broker are changed by itself, those of all brokers by any. */
function isOfBroker({ resourceType, resourceName }: Resource, nodeId: number): boolean {
  return resourceType === brokerType && ['', String(nodeId)].includes(resourceName)
}

function refusedTwice(resource: Resource, twice: ReadonlySet<string>): Refusal | undefined {
  if (!twice.has(keyOf(resource))) return undefined
  return refusal(kafkaErrors.INVALID_REQUEST, 'The request names the resource twice')
}

function refusedResource(resource: Resource, twice: ReadonlySet<string>): Refusal | undefined {
  const refused = refusedTwice(resource, twice)
  if (refused !== undefined || resource.resourceType === topicType) return refused
  const message =
    resource.resourceType === brokerType
      ? 'A broker is configured by itself, with IncrementalAlterConfigs'
      : 'Only topics and brokers are configured like this'
  return refusal(kafkaErrors.INVALID_REQUEST, message)
}
