import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import type { DescribedConfig } from '@naru/services'
import type { Ports } from '../ports.ts'

type Request = RequestOf<typeof apis.describeConfigs>
type Wanted = Request['resources'][number]
type Result = ResponseOf<typeof apis.describeConfigs>['results'][number]

const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 }
const configTypes = ['unknown', 'boolean', 'string', 'int', 'short', 'long', 'double', 'list']
const sensitive = { value: null, isSensitive: true }

export function describeConfigs(
  ports: Pick<Ports, 'metadata' | 'topicConfigs' | 'brokerConfigs' | 'nodeId'>,
) {
  return defineHandler(apis.describeConfigs, (request) => ({
    throttleTimeMs: 0,
    results: request.resources.map((wanted) => describe(ports, request, wanted)),
  }))
}

function describe(
  ports: Pick<Ports, 'metadata' | 'topicConfigs' | 'brokerConfigs' | 'nodeId'>,
  request: Request,
  wanted: Wanted,
): Result {
  const { resourceType, resourceName } = wanted
  const found = configsOf(ports, wanted)
  if ('error' in found) {
    const { error, message } = found
    const errorCode = error.code
    return { errorCode, errorMessage: message, resourceType, resourceName, configs: [] }
  }
  const keys = wanted.configurationKeys
  const configs = found.configs
    .filter(({ name }) => keys === null || keys.length === 0 || keys.includes(name))
    .map((config) => wireConfig(config, request, found.isReadOnly))
  return {
    errorCode: kafkaErrors.NONE.code,
    errorMessage: null,
    resourceType,
    resourceName,
    configs,
  }
}

type Found =
  | { configs: readonly (DescribedConfig & { isSensitive?: boolean })[]; isReadOnly: boolean }
  | { error: { code: number }; message: string }

function configsOf(
  ports: Pick<Ports, 'metadata' | 'topicConfigs' | 'brokerConfigs' | 'nodeId'>,
  { resourceType, resourceName }: Wanted,
): Found {
  if (resourceType === resourceTypes.topic) {
    if (!ports.metadata.image.topics.has(resourceName)) {
      const message = `Topic ${resourceName} does not exist`
      return { error: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message }
    }
    return { configs: ports.topicConfigs.describe(resourceName), isReadOnly: false }
  }
  if (resourceType === resourceTypes.broker) {
    // The empty name stands for settings of all brokers, which can only be made in their files so far.
    if (resourceName === '') return { configs: [], isReadOnly: true }
    if (resourceName !== String(ports.nodeId)) {
      const message = `Broker ${resourceName} is asked for its configuration by itself`
      return { error: kafkaErrors.INVALID_REQUEST, message }
    }
    return { configs: ports.brokerConfigs(), isReadOnly: true }
  }
  const isKnown = Object.values(resourceTypes).includes(resourceType)
  if (isKnown) return { configs: [], isReadOnly: true }
  const message = `Resource type ${resourceType} is not known`
  return { error: kafkaErrors.INVALID_REQUEST, message }
}

function wireConfig(
  config: DescribedConfig & { isSensitive?: boolean },
  request: Request,
  isReadOnly: boolean,
): Result['configs'][number] {
  return {
    name: config.name,
    readOnly: isReadOnly,
    configSource: config.source,
    ...(config.isSensitive === true ? sensitive : { value: config.value, isSensitive: false }),
    synonyms: request.includeSynonyms ? [...config.synonyms] : [],
    configType: Math.max(0, configTypes.indexOf(config.type)),
    documentation: request.includeDocumentation ? config.documentation : null,
  }
}
