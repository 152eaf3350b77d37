// What this version does not have is refused: in every version of the API, with an error that makes no client try again.
import { apis } from '@naru/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Asked } from '../support/asked.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import {
  alter,
  batch,
  create,
  metadata,
  newTopic,
  operations,
  produce,
} from '../support/requests.ts'

const unsupportedVersion = 35
const invalidRequest = 42
const invalidConfig = 40
const invalidTopic = 17
const invalidReplicationFactor = 38
const unknownTopic = 3

let broker: BrokerProcess
let asked: Asked

beforeAll(async () => {
  broker = await BrokerProcess.start()
  asked = new Asked(broker.bootstrap)
})

afterAll(async () => {
  await asked[Symbol.asyncDispose]()
  await broker[Symbol.asyncDispose]()
})

it.each([0, 1, 2, 3, 4, 5, 6])(
  'FindCoordinator version %i: no groups, no transactions',
  async (version) => {
    const api = apis.findCoordinator
    for (const keyType of [0, 1]) {
      const request = { key: 'k', keyType, coordinatorKeys: ['k', 'l'] }
      const answer = await asked.exact(api, version, request)
      const found = version < 4 ? [answer] : answer.coordinators
      expect(found.map(({ errorCode }) => errorCode)).toEqual(found.map(() => unsupportedVersion))
      expect(found.map(({ nodeId, port }) => [nodeId, port])).toEqual(found.map(() => [-1, -1]))
      expect(found).toHaveLength(version < 4 ? 1 : 2)
      if (version >= 1) expect(found[0]?.errorMessage).toContain('not supported')
    }
  },
)

it.each([0, 1, 2, 3, 4, 5])('InitProducerId version %i: no transactions', async (version) => {
  const request = {
    transactionalId: 't',
    transactionTimeoutMs: 1,
    producerId: -1n,
    producerEpoch: -1,
  }
  const answer = await asked.exact(apis.initProducerId, version, request)
  expect(answer).toMatchObject({
    errorCode: unsupportedVersion,
    producerId: -1n,
    producerEpoch: -1,
  })
})

it('Produce: no transactional batches', async () => {
  await asked.make('refusing')
  const options = { producerId: 1n, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  const records = batch(['one'], options)
  for (const version of [3, 11, 12]) {
    const request = produce([{ topic: 'refusing', records }], { transactionalId: 't' })
    const answer = await asked.exact(apis.produce, version, request)
    expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: unsupportedVersion,
      baseOffset: -1n,
    })
  }
})

it.each([
  ['more replicas than brokers', { replicationFactor: 2 }, invalidReplicationFactor],
  ['compaction', { configs: { 'cleanup.policy': 'compact' } }, invalidConfig],
  ['compaction and deletion', { configs: { 'cleanup.policy': 'compact,delete' } }, invalidConfig],
  ['tiered storage', { configs: { 'remote.storage.enable': 'true' } }, invalidConfig],
])('CreateTopics: no %s', async (_, fields, errorCode) => {
  const answer = await asked.exact(apis.createTopics, 7, create([newTopic('refused', fields)]))
  expect(answer.topics[0]).toMatchObject({ errorCode, numPartitions: -1 })
  expect(answer.topics[0]?.errorMessage).toBeTruthy()
})

it.each([
  ['brokers', 4, 'reads its file', 'with IncrementalAlterConfigs'],
  ['loggers', 8, 'Only topics and brokers', 'Only topics and brokers'],
  ['client metrics', 16, 'Only topics and brokers', 'Only topics and brokers'],
  ['groups', 32, 'Only topics and brokers', 'Only topics and brokers'],
])('such settings of %s are not changed', async (_, type, ofChange, ofReplacement) => {
  const request = alter('1', [['log.cleaner.threads', operations.set, '2']], { type })
  const changed = await asked.exact(apis.incrementalAlterConfigs, 1, request)
  const replaced = await asked.exact(apis.alterConfigs, 2, request)
  for (const [{ responses }, reason] of [
    [changed, ofChange],
    [replaced, ofReplacement],
  ] as const) {
    expect(responses[0]).toMatchObject({ errorCode: invalidRequest })
    expect(responses[0]?.errorMessage).toContain(reason)
  }
})

it('IncrementalAlterConfigs: no operation that is not known', async () => {
  await asked.make('operated')
  for (const operation of [-1, 4, 9]) {
    const request = alter('operated', [['retention.ms', operation, '1']])
    const { responses } = await asked.exact(apis.incrementalAlterConfigs, 1, request)
    expect(responses[0]?.errorCode).toBe(invalidRequest)
  }
})

it("nobody but brokers makes or writes the brokers' own topics", async () => {
  const name = '__consumer_offsets'
  const asking = metadata([name], { allowAutoTopicCreation: true })
  const { topics } = await asked.exact(apis.metadata, 12, asking)
  expect(topics[0]).toMatchObject({ errorCode: unknownTopic, isInternal: true })
  await asked.make(name)
  const described = await asked.exact(apis.metadata, 12, asking)
  expect(described.topics[0]).toMatchObject({ errorCode: 0, isInternal: true })
  const request = produce([{ topic: name, records: batch(['one']) }])
  const answer = await asked.exact(apis.produce, 9, request)
  expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(invalidTopic)
})
