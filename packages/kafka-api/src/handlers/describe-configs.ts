import { type Refusal, refusal } from '@naru/metadata'
import { invalidTopicName, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import type { DescribedBrokerConfig, DescribedConfig } from '@naru/services'
import type { Ports } from '../ports.ts'

type Request = RequestOf<typeof apis.describeConfigs>
type Wanted = Request['resources'][number]
type Result = ResponseOf<typeof apis.describeConfigs>['results'][number]

const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 }
const configTypes = [
  ...[
    'unknown',
    'boolean',
    'string',
    'int',
    'short',
    'long',
    'double',
    'list',
    'class',
    'password',
  ],
]
const sensitive = { value: null, isSensitive: true }

type Described = Pick<Ports, 'metadata' | 'topicConfigs' | 'brokerConfigs' | 'nodeId'>

/** One resource of an unknown type spoils the whole request, as in Kafka. */
export function describeConfigs(ports: Described) {
  return defineHandler(apis.describeConfigs, (request) => {
    const known = Object.values(resourceTypes)
    const stranger = request.resources.find(({ resourceType }) => !known.includes(resourceType))
    const results =
      stranger === undefined
        ? request.resources.map((wanted) => describe(ports, request, wanted))
        : request.resources.map((wanted) => ({
            ...wanted,
            errorCode: kafkaErrors.INVALID_REQUEST.code,
            errorMessage: `Resource type ${stranger.resourceType} is not known`,
            configs: [],
          }))
    return { throttleTimeMs: 0, results }
  })
}

function describe(ports: Described, request: Request, wanted: Wanted): Result {
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
    .map((config) => wireConfig(config, request))
  return {
    errorCode: kafkaErrors.NONE.code,
    errorMessage: '',
    resourceType,
    resourceName,
    configs,
  }
}

type Shown = DescribedConfig & Partial<Pick<DescribedBrokerConfig, 'isReadOnly' | 'isSensitive'>>
type Found = { configs: readonly Shown[] } | Refusal

function configsOf(ports: Described, { resourceType, resourceName }: Wanted): Found {
  if (resourceType === resourceTypes.topic) return topicConfigsOf(ports, resourceName)
  const isNameless = resourceName === ''
  const isOfBroker = resourceType === resourceTypes.broker
  // The empty name stands for the settings of all brokers.
  if (isOfBroker && isNameless) return { configs: ports.brokerConfigs.describeOfAll() }
  if (isNameless) return refusal(kafkaErrors.INVALID_REQUEST, 'The resource has no name')
  if (isOfBroker || resourceType === resourceTypes.brokerLogger) {
    if (resourceName !== String(ports.nodeId)) {
      const message = `Broker ${resourceName} is asked for its configuration by itself`
      return refusal(kafkaErrors.INVALID_REQUEST, message)
    }
    return isOfBroker ? { configs: ports.brokerConfigs.describe() } : nothing
  }
  return nothing
}

const nothing: Found = { configs: [] }

function topicConfigsOf({ metadata, topicConfigs }: Described, name: string): Found {
  const invalid = invalidTopicName(name)
  if (invalid !== undefined) return refusal(kafkaErrors.INVALID_TOPIC_EXCEPTION, invalid)
  if (metadata.image.topics.has(name)) {
    return { configs: topicConfigs.describe(name) }
  }
  return refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${name} does not exist`)
}

function wireConfig(config: Shown, request: Request): Result['configs'][number] {
  return {
    name: config.name,
    readOnly: config.isReadOnly ?? false,
    configSource: config.source,
    ...(config.isSensitive === true
      ? sensitive
      : { value: shownValue(config), isSensitive: false }),
    synonyms: request.includeSynonyms ? [...config.synonyms] : [],
    configType: Math.max(0, configTypes.indexOf(config.type)),
    documentation: request.includeDocumentation ? config.documentation : null,
  }
}

/** A number that is not set has no value; a text may be empty. */
function shownValue({ value, type }: DescribedConfig): string | null {
  return value === '' && type !== 'string' && type !== 'list' ? null : value
}
