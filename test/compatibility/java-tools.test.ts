// Kafka's own tools: the newest clients there are, and the judges of our files.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { hasJavaTools, javaTool } from '../support/java-tools.ts'

let broker: BrokerProcess
const at = () => ['--bootstrap-server', broker.bootstrap]

describe.skipIf(!hasJavaTools())('Kafka tools', () => {
  beforeAll(async () => {
    broker = await BrokerProcess.start(['log.segment.bytes=1048576'])
  })

  afterAll(async () => {
    await broker[Symbol.asyncDispose]()
  })

  it('topics: creates, lists, describes, grows and deletes', async () => {
    const topic = ['--topic', 'made']
    await javaTool('topics', [
      ...at(),
      '--create',
      ...topic,
      '--partitions',
      '3',
      '--config',
      'retention.ms=99000',
    ])
    expect(await javaTool('topics', [...at(), '--list'])).toContain('made')
    await javaTool('topics', [...at(), '--alter', ...topic, '--partitions', '4'])
    const described = await javaTool('topics', [...at(), '--describe', ...topic])
    expect(described).toContain('PartitionCount: 4')
    expect(described).toContain('Configs: retention.ms=99000')
    await javaTool('topics', [...at(), '--delete', ...topic])
    expect(await javaTool('topics', [...at(), '--list'])).not.toContain('made')
  })

  it('refuses what Kafka refuses, with its names', async () => {
    const create = (...args: string[]) =>
      javaTool('topics', [...at(), '--create', '--topic', ...args])
    await expect(create('bad name')).rejects.toThrow('InvalidTopicException')
    await expect(create('wide', '--replication-factor', '3')).rejects.toThrow(
      'InvalidReplicationFactor',
    )
    await expect(create('compacted', '--config', 'cleanup.policy=compact')).rejects.toThrow(
      'compaction',
    )
  })

  it('writes with the default producer and reads by partition', async () => {
    const input = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n')
    await javaTool('console-producer', [...at(), '--topic', 'console'], { input })
    const read = [
      '--topic',
      'console',
      '--partition',
      '0',
      '--offset',
      'earliest',
      '--max-messages',
      '30',
    ]
    expect((await javaTool('console-consumer', [...at(), ...read])).trim()).toBe(input)
    const offset = async (time: string) =>
      (await javaTool('get-offsets', [...at(), '--topic', 'console', '--time', time])).trim()
    expect(await offset('latest')).toBe('console:0:30')
    expect(await offset('earliest')).toBe('console:0:0')
    expect(await offset('max-timestamp')).toMatch(/^console:0:\d+$/)
  })

  it('configs: describes and alters', async () => {
    const topic = ['--entity-type', 'topics', '--entity-name', 'console']
    await javaTool('configs', [
      ...at(),
      ...topic,
      '--alter',
      '--add-config',
      'max.message.bytes=2000',
    ])
    expect(await javaTool('configs', [...at(), ...topic, '--describe'])).toContain(
      'max.message.bytes=2000',
    )
    const brokers = ['--entity-type', 'brokers', '--entity-name', '1', '--all']
    expect(await javaTool('configs', [...at(), ...brokers, '--describe'])).toContain(
      'log.segment.bytes=1048576',
    )
  })

  it('delete-records moves the start of a log', async () => {
    const plan = { version: 1, partitions: [{ topic: 'console', partition: 0, offset: 12 }] }
    const file = join(broker.directory, 'plan.json')
    writeFileSync(file, JSON.stringify(plan))
    const answer = await javaTool('delete-records', [...at(), '--offset-json-file', file])
    expect(answer).toContain('low_watermark: 12')
    const start = ['--topic', 'console', '--time', 'earliest']
    expect((await javaTool('get-offsets', [...at(), ...start])).trim()).toBe('console:0:12')
  })

  it('log-dirs and broker-api-versions answer', async () => {
    const directories = await javaTool('log-dirs', [...at(), '--describe'])
    expect(directories).toContain(broker.dataDirectory)
    expect(directories).toContain('"partition":"console-0"')
    const versions = await javaTool('broker-api-versions', at())
    expect(versions).toContain('Produce(0): 0 to 13')
    expect(versions).not.toContain('ERROR')
  })

  it('cluster and features tell what the cluster is', async () => {
    expect(await javaTool('cluster', ['cluster-id', ...at()])).toMatch(/^Cluster ID: [\w-]{22}$/m)
    const endpoints = ['list-endpoints', ...at(), '--include-fenced-brokers']
    expect(await javaTool('cluster', endpoints)).toMatch(
      /^1 +127\.0\.0\.1 +\d+ +null +unfenced +broker/m,
    )
    const features = await javaTool('features', [...at(), 'describe'])
    expect(features).toMatch(/^Feature: metadata\.version\s+SupportedMinVersion: 3\.3-IV3\s/m)
  })

  it('dump-log reads every file of a partition written by producer-perf', async () => {
    const load = [
      '--topic',
      'perf',
      '--num-records',
      '6000',
      '--record-size',
      '500',
      '--throughput',
      '-1',
    ]
    await javaTool('producer-perf', [...at(), ...load, '--command-property', 'acks=all'])
    expect(await broker.stop()).toBe(0)
    const folder = join(broker.dataDirectory, 'perf-0')
    const names = readdirSync(folder).filter((name) =>
      /\.(log|index|timeindex|snapshot)$/.test(name),
    )
    expect(names.filter((name) => name.endsWith('.log')).length).toBeGreaterThan(1)
    expect(names.some((name) => name.endsWith('.snapshot'))).toBe(true)
    const files = names.map((name) => join(folder, name)).join(',')
    const dump = await javaTool('dump-log', ['--deep-iteration', '--files', files])
    expect(/mismatch|out of order|isvalid: false|corrupt/i.exec(dump)?.[0]).toBeUndefined()
    expect(dump.match(/\bsequence: \d+/g) ?? []).toHaveLength(6000)
    expect(/producerId: \d+ producerEpoch: 0 coordinatorEpoch/.test(dump)).toBe(true)
    await broker.restart()
  })
})
