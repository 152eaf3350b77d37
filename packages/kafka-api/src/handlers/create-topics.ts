import { isRefusal } from '@naru/metadata'
import { kafkaErrors, zeroTopicId } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'

type Wanted = RequestOf<typeof apis.createTopics>['topics'][number]
type Created = ResponseOf<typeof apis.createTopics>['topics'][number]

/** Topics of one request that are under way to the controller. */
const atOnce = 100

export function createTopics({
  topics,
  topicConfigs,
  clock,
}: Pick<Ports, 'topics' | 'topicConfigs' | 'clock'>) {
  return defineHandler(apis.createTopics, async (request) => {
    const left = timeLeft(clock, request.timeoutMs)
    const byName = [...Map.groupBy(request.topics, (topic) => topic.name)]
    const created: Created[] = []
    // Decided in the order of the request, and made durable together.
    while (created.length < byName.length) {
      const some = byName.slice(created.length, created.length + atOnce)
      const { validateOnly } = request
      created.push(
        ...(await Promise.all(
          some.map(([name, [wanted, another]]) =>
            wanted === undefined || another !== undefined
              ? refused(name, kafkaErrors.INVALID_REQUEST.code, 'The request names the topic twice')
              : create(wanted, validateOnly, left()),
          ),
        )),
      )
    }
    return { throttleTimeMs: 0, topics: created }
  })

  async function create(
    wanted: Wanted,
    validateOnly: boolean,
    timeoutMs: number,
  ): Promise<Created> {
    const { name, configs } = wanted
    const result = await topics.create(
      {
        name,
        partitions: wanted.numPartitions,
        replicationFactor: wanted.replicationFactor,
        assignments: wanted.assignments.map(({ partitionIndex, brokerIds }) => ({
          partition: partitionIndex,
          replicas: brokerIds,
        })),
        configs,
      },
      validateOnly,
      timeoutMs,
    )
    if (isRefusal(result)) return refused(name, result.error.code, result.message)
    const given = new Map(configs.map((config) => [config.name, config.value]))
    return {
      name,
      topicId: validateOnly ? zeroTopicId : result.topicId,
      ...outcomeOf(undefined),
      topicConfigErrorCode: 0,
      numPartitions: result.partitions,
      replicationFactor: result.replicationFactor,
      configs: topicConfigs.describe(name).map((config) => ({
        name: config.name,
        value: given.get(config.name) ?? config.value,
        readOnly: false,
        configSource: given.has(config.name) ? 1 : config.source,
        isSensitive: false,
      })),
    }
  }
}

function refused(name: string, errorCode: number, errorMessage: string): Created {
  return {
    name,
    topicId: zeroTopicId,
    errorCode,
    errorMessage,
    topicConfigErrorCode: 0,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}
