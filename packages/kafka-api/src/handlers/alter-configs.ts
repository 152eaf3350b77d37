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

export function incrementalAlterConfigs({ topics, nodeId }: Pick<Ports, 'topics' | 'nodeId'>) {
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
    const onlyTakesBack = changes.every((change) => change?.operation === 'delete')
    if (onlyTakesBack && !twice.has(keyOf(resource)) && isOfBroker(resource, nodeId)) {
      return undefined
    }
    const refused = refusedResource(resource, twice)
    if (refused !== undefined) return refused
    if (changes.includes(undefined)) {
      return refusal(kafkaErrors.INVALID_REQUEST, 'The operation is not known')
    }
    return topics.alterConfig(resource.resourceName, changes as ConfigChange[], isDry)
  }
}

/**
 * No setting of a broker is ever changed while it runs, so that there is none to take back: Kafka's tool ends every reassignment by
 * taking back the limits that it may have set.
 */
function isOfBroker({ resourceType, resourceName }: Resource, nodeId: number): boolean {
  return resourceType === brokerType && ['', String(nodeId)].includes(resourceName)
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
