import { environmentSettings, parseProperties } from '@naru/model'
import { describe, expect, it } from 'vitest'
import { isBrokerKey, resolveConfig } from './config.ts'

const set = (name: string, value: string) => ({ name, value, where: 'here' })
const parse = (text: string) => resolveConfig(parseProperties(text, 'server.properties'))

describe('resolveConfig()', () => {
  it('has working defaults', () => {
    const config = resolveConfig([])
    expect(config.nodeId).toBe(1)
    expect(config.listeners).toEqual([{ listener: 'PLAINTEXT', host: 'localhost', port: 9092 }])
    expect(config.number('log.segment.bytes')).toBe(2 ** 30)
  })

  it('reads a file as Kafka would, and lets later settings win', () => {
    const config = parse(
      '# a comment\nbroker.id=7\nlog.dirs = /a, /b\nnum.partitions=\\\n  3\nnum.partitions:4\n',
    )
    expect(config.nodeId).toBe(7)
    expect(config.logDirs).toEqual(['/a', '/b'])
    expect(config.number('num.partitions')).toBe(4)
  })

  it('says what is wrong, where, and what was meant', () => {
    expect(() => parse('\n\nlog.segmnt.bytes=1')).toThrow(
      'Unknown key log.segmnt.bytes (server.properties, line 3)',
    )
    expect(() => resolveConfig([set('log.segmnt.bytes', '1')])).toThrow(
      expect.objectContaining({ hint: 'Did you mean log.segment.bytes?' }),
    )
    expect(() => parse('num.partitions=many')).toThrow('must be a whole number')
    expect(() => parse('num.partitions=0')).toThrow('at least 1')
    expect(() => parse('listeners=nonsense')).toThrow('Cannot read listener nonsense')
    expect(() => parse('listeners=A://:1,A://:2')).toThrow('Two listeners are named A')
    expect(() => parse('listeners=')).toThrow('no listener for clients (server.properties, line 1)')
    expect(() => parse('advertised.listeners=EXTERNAL://h:1')).toThrow('nobody listens there')
    expect(() => parse('num.io.threads=many')).toThrow('must be a whole number')
    expect(() => parse('log.retention.ms=9223372036854775808')).toThrow('at most')
    expect(() => parse('replica.selector.class=my.Selector')).toThrow(
      'must be empty, org.apache.kafka.common.replica.LeaderSelector or org.apache.kafka.common.replica.RackAwareReplicaSelector',
    )
  })

  it('starts with what a Kafka broker starts with', () => {
    const config = parse(
      [
        'process.roles=broker,controller',
        'listeners=PLAINTEXT://:9092,INTERNAL://h:9094,CTL://:9093',
        'advertised.listeners=PLAINTEXT://public:9092',
        'controller.listener.names=CTL',
        'listener.security.protocol.map=CTL:SASL_SSL,PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,SSL:SSL',
        'auto.create.topics.enable = FALSE',
        'transaction.max.timeout.ms=900000',
        'num.partitions= +03 ',
      ].join('\n'),
    )
    const plaintext = { listener: 'PLAINTEXT', port: 9092 }
    const internal = { listener: 'INTERNAL', host: 'h', port: 9094 }
    expect(config.listeners).toEqual([{ ...plaintext, host: '' }, internal])
    expect(config.advertised).toEqual([{ ...plaintext, host: 'public' }, internal])
    expect(config.flag('auto.create.topics.enable')).toBe(false)
    expect(config.number('num.partitions')).toBe(3)
  })

  it('describes every key, ours and those of Kafka that do nothing', () => {
    const described = parse('broker.id=7\nnum.io.threads=9').describe()
    const of = (name: string) => described.find((each) => each.name === name)
    expect(of('num.io.threads')).toMatchObject({ value: '9', source: 4, type: 'int' })
    expect(of('broker.id')).toMatchObject({ value: '7', source: 4 })
    expect(of('node.id')).toMatchObject({ value: '7', source: 4 })
    expect(of('log.retention.ms')).toMatchObject({ value: '', source: 5, synonyms: [] })
    expect(new Set(described.map(({ name }) => name)).size).toBe(described.length)
  })

  it('refuses keys that would promise protection', () => {
    expect(() => parse('ssl.keystore.location=/x')).toThrow('no TLS')
    expect(() => parse('listeners=SASL_SSL://:9092')).toThrow('no TLS')
    const mapped = 'listeners=SECURE://:9092\nlistener.security.protocol.map=SECURE:SSL'
    expect(() => parse(mapped)).toThrow('Cannot offer listener SECURE with SSL')
    expect(() => parse('listener.security.protocol.map=A')).toThrow('Cannot read A')
    expect(() => parse('authorizer.class.name=X')).toThrow('no authorization')
  })

  it('takes units for durations and sizes, and for nothing else', () => {
    expect(parse('log.retention.ms=7d').topicDefaults.get('retention.ms')).toBe('604800000')
    expect(parse('log.segment.bytes=64MiB').topicDefaults.get('segment.bytes')).toBe('67108864')
    expect(() => parse('num.partitions=3d')).toThrow('whole number')
  })

  it('gives milliseconds precedence over minutes over hours, as Kafka does', () => {
    const of = (text: string) => parse(text).topicDefaults.get('retention.ms')
    expect(of('log.retention.hours=2')).toBe('7200000')
    expect(of('log.retention.hours=2\nlog.retention.minutes=3')).toBe('180000')
    expect(of('log.retention.ms=5\nlog.retention.minutes=3')).toBe('5')
    expect(of('log.retention.hours=-1')).toBe('-1')
  })

  it('names the keys that have no effect here', () => {
    const unclean = parse('unclean.leader.election.enable=true')
    expect(unclean.topicDefaults.get('unclean.leader.election.enable')).toBe('true')
    expect(unclean.withoutEffect).toEqual([])
    expect(parse('num.io.threads=8').withoutEffect).toEqual(['num.io.threads'])
  })
})

describe('environmentSettings()', () => {
  it('maps names as the official image does, and reports strangers', () => {
    const environment = {
      KAFKA_NODE_ID: '3',
      KAFKA_LOG_RETENTION_MS: '1',
      NARU_FLUSH: 'never',
      NARU_NUM_PARTITIONS: '2',
      NARU_PORT: 'tcp://10.0.0.1',
      PATH: '/bin',
    }
    const { kafka, naru, unknown } = environmentSettings(environment, isBrokerKey)
    expect(kafka.map(({ name }) => name)).toEqual(['node.id', 'log.retention.ms'])
    expect(naru.map(({ name }) => name)).toEqual(['naru.flush', 'num.partitions'])
    expect(unknown).toEqual(['NARU_PORT'])
  })
})
