// kcat with librdkafka 2.0.2, as Debian has it: old versions of every API, none of them flexible but ApiVersions.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { isInstalled } from '../support/installed.ts'
import { run } from '../support/run.ts'
import { storedCodecs } from '../support/stored-batches.ts'

let broker: BrokerProcess
const kcat = (args: string[], input = '') =>
  run('kcat', ['-b', broker.bootstrap, ...args], { input })
const format = '%o|%k|%s|%S|%h|%T\\n'
const consume = (topic: string) =>
  kcat(['-C', '-q', '-e', '-o', 'beginning', '-t', topic, '-f', format])

describe.skipIf(!isInstalled('kcat'))('kcat', () => {
  beforeAll(async () => {
    broker = await BrokerProcess.start()
  })

  afterAll(async () => {
    await broker[Symbol.asyncDispose]()
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'writes and reads %s, stored as it came',
    async (codec) => {
      const topic = `codec-${codec}`
      const lines = Array.from({ length: 50 }, (_, index) => `value ${index} ${'x'.repeat(50)}`)
      await kcat(['-P', '-t', topic, '-z', codec], `${lines.join('\n')}\n`)
      const values = (await consume(topic))
        .trim()
        .split('\n')
        .map((line) => line.split('|')[2])
      expect(values).toEqual(lines)
      expect(new Set(storedCodecs(broker.dataDirectory, `${topic}-0`))).toEqual(new Set([codec]))
    },
  )

  it('keeps keys, headers, tombstones and timestamps', async () => {
    const before = Date.now()
    await kcat(['-P', '-t', 'fields', '-K:', '-H', 'a=1', '-H', 'b=2'], 'k1:v1\n')
    await kcat(['-P', '-t', 'fields', '-K:', '-Z'], 'k2:\n')
    const [first, second] = (await consume('fields'))
      .trim()
      .split('\n')
      .map((line) => line.split('|'))
    expect(first?.slice(0, 5)).toEqual(['0', 'k1', 'v1', '2', 'a=1,b=2'])
    expect(second?.slice(0, 4)).toEqual(['1', 'k2', '', '-1'])
    expect(Number(first?.[5])).toBeGreaterThanOrEqual(before - 1_000)
    expect(Number(first?.[5])).toBeLessThanOrEqual(Date.now() + 1_000)
  })

  it('lists the cluster and its topics (-L)', async () => {
    await kcat(['-P', '-t', 'listed'], 'x\n')
    const answer = JSON.parse(await kcat(['-L', '-J']))
    expect(answer.brokers).toEqual([{ id: 1, name: broker.bootstrap }])
    const topic = answer.topics.find((each: { topic: string }) => each.topic === 'listed')
    expect(topic.partitions).toHaveLength(1)
    expect(topic.partitions[0].leader).toBe(1)
  })

  it('finds offsets by time (-Q)', async () => {
    await kcat(['-P', '-t', 'times'], 'one\n')
    const stamp = Number((await consume('times')).trim().split('|')[5])
    await kcat(['-P', '-t', 'times'], 'two\n')
    const at = async (time: number) =>
      (await kcat(['-Q', '-t', `times:0:${time}`])).trim().split(' ').at(-1)
    expect(await at(stamp)).toBe('0')
    expect(await at(stamp + 1)).toBe('1')
    expect(await at(-2)).toBe('0')
    expect(await at(-1)).toBe('2')
  })
})
