/** Questions about configurations. */
import { apis } from '@naru/protocol'
import { type Asked, answered, type Questions } from '../../support/asked.ts'
import { alter, describeConfigs, operations } from '../../support/requests.ts'

const topic = 2
const broker = 4
const logger = 8
const clientMetrics = 16
const group = 32
const { set, append, subtract } = operations

function describing(asked: Asked, version = 4) {
  return (...given: Parameters<typeof describeConfigs>) =>
    asked.ask(apis.describeConfigs, version, describeConfigs(...given))
}

/** Values of one key that a broker would take, among all that are worth trying. */
async function taken(asked: Asked, key: string): Promise<string[]> {
  const found: string[] = []
  for (const value of candidates) {
    const request = alter('c.values', [[key, set, value]], { validateOnly: true })
    const answer = answered(await asked.client.ask(apis.incrementalAlterConfigs, 1, request))
    const { errorCode } = answer.responses[0] ?? {}
    found.push(`${value === '' ? '(empty)' : value}: ${errorCode}`)
  }
  return found
}

const candidates = [
  ...['-3', '-2', '-1', '0', '1', '3', '4', '9', '10', '13', '14', '17', '18', '22', '23'],
  ...['1048575', '1048576', '2147483647', '2147483648'],
  ...['9223372036854775807', '9223372036854775808', '0.5', '1.0', '1.1', '-0.1', '.5', '1e-1'],
  ...['', ' 7 ', 'true', 'TRUE', 'false', 'yes', 'abc', 'gzip', 'GZIP', 'uncompressed', 'none'],
  ...['delete', 'Delete', ' delete', 'delete,delete', 'delete,', 'CreateTime', 'createtime'],
  ...['LogAppendTime', '*', '*,0:1', '0:1,1:1', '0:1,', 'none:none', '0x10', '+5', '007', '5L'],
]

export const configQuestions: Questions = {
  'DescribeConfigs: every topic key, its type, source, synonyms and flags': async (asked) => {
    const configs = { 'retention.ms': '5000', 'segment.ms': '7000', 'flush.messages': '3' }
    await asked.make('c.all', { configs })
    const all = [{ type: topic, name: 'c.all' }]
    const full = { includeSynonyms: true, includeDocumentation: true }
    return {
      'version 1': await describing(asked, 1)(all),
      'version 2': await describing(asked, 2)(all, full),
      'version 3': await describing(asked, 3)(all, full),
      'version 4': await describing(asked, 4)(all, full),
    }
  },

  'DescribeConfigs: which keys, which resources': async (asked) => {
    await asked.make('c.some')
    const describe = describing(asked)
    const of = (type: number, name: string, keys: string[] | null = null) =>
      describe([{ type, name, keys }])
    const keysOf = async (type: number, name: string) => {
      const { results } = (await of(type, name)) as { results: { configs: unknown[] }[] }
      return results.map(({ configs, ...rest }) => ({ ...rest, isEmpty: configs.length === 0 }))
    }
    return {
      'two keys': await of(topic, 'c.some', ['retention.ms', 'segment.bytes']),
      'no keys': await of(topic, 'c.some', []),
      'a key twice': await of(topic, 'c.some', ['retention.ms', 'retention.ms']),
      'an unknown key': await of(topic, 'c.some', ['no.such.key', 'retention.ms']),
      'an unknown topic': await of(topic, 'c.none'),
      'an invalid topic': await of(topic, 'not good'),
      'an empty topic': await of(topic, ''),
      'a topic twice': await describe([
        { type: topic, name: 'c.some', keys: ['retention.ms'] },
        { type: topic, name: 'c.some', keys: ['segment.ms'] },
      ]),
      nothing: await describe([]),
      'this broker': await keysOf(broker, '1'),
      'all brokers': await of(broker, ''),
      'another broker': await of(broker, '77'),
      'a broker that is no number': await of(broker, 'abc'),
      'loggers of this broker': await keysOf(logger, '1'),
      'loggers of nobody': await of(logger, ''),
      'loggers of another broker': await of(logger, '77'),
      'client metrics of nobody': await of(clientMetrics, ''),
      'a group without a name': await of(group, ''),
      'an unknown type': await of(3, 'c.some'),
      'an unknown and a known type': await describe([
        { type: 64, name: 'x' },
        { type: topic, name: 'c.some', keys: ['retention.ms'] },
      ]),
    }
  },

  'DescribeConfigs: keys of the broker': async (asked) => {
    const request = describeConfigs([{ type: broker, name: '1' }], { includeSynonyms: true })
    const { results } = await asked.exact(apis.describeConfigs, 4, request)
    const keys = (results[0]?.configs ?? []).filter(({ name }) => !name.startsWith('naru.'))
    return Object.fromEntries(
      keys.map(({ name, configType, synonyms }) => {
        const standard = synonyms.find((each) => each.source === 5 && each.name === name)
        return [name, `type ${configType}, default ${standard?.value || 'none'}`]
      }),
    )
  },

  'IncrementalAlterConfigs: operations': async (asked) => {
    await asked.make('c.alter', { configs: { 'retention.ms': '1' } })
    const ask = (...given: Parameters<typeof alter>) =>
      asked.ask(apis.incrementalAlterConfigs, 1, alter(...given))
    const one = (key: string, operation: number, value: string | null) =>
      ask('c.alter', [[key, operation, value]])
    const throttled = 'leader.replication.throttled.replicas'
    const answers = {
      'version 0': await asked.ask(
        apis.incrementalAlterConfigs,
        0,
        alter('c.alter', [['segment.ms', set, '9000']]),
      ),
      'a bad value': await one('retention.ms', set, 'long'),
      'a null value': await one('retention.ms', set, null),
      'a null value to append': await one(throttled, append, null),
      'an unknown key': await one('no.such.key', set, '1'),
      'an unknown key to delete': await one('no.such.key', operations.delete, null),
      'a key to delete that was not set': await one('segment.bytes', operations.delete, null),
      'a value where one is deleted': await one('segment.index.bytes', operations.delete, '5'),
      'an empty key': await one('', set, '1'),
      'append to what is no list': await one('retention.ms', append, '1'),
      'subtract from what is no list': await one('retention.ms', subtract, '1'),
      'a key twice': await ask('c.alter', [
        ['retention.ms', set, '1'],
        ['retention.ms', set, '2'],
      ]),
      'a good and a bad one': await ask('c.alter', [
        ['segment.ms', set, '123456'],
        ['retention.ms', set, 'bad'],
      ]),
      'an unknown topic': await ask('c.none', [['retention.ms', set, '1']]),
      'an invalid topic': await ask('not good', [['retention.ms', set, '1']]),
      'an empty topic': await ask('', [['retention.ms', set, '1']]),
      'nothing to change': await ask('c.alter', []),
      'only checked': await ask('c.alter', [['retention.ms', set, '77']], { validateOnly: true }),
      'append to an empty list': await one(throttled, append, '0:1,1:1'),
      'append what is there': await one(throttled, append, '1:1,2:1'),
      'subtract what is not there': await one(throttled, subtract, '9:9'),
      'subtract one': await one(throttled, subtract, '0:1'),
      'an unknown type': await ask('x', [['retention.ms', set, '1']], { type: 3 }),
      'another broker': await ask('77', [['log.cleaner.threads', set, '1']], { type: broker }),
      'limits to take back from this broker': await ask(
        '1',
        [
          ['leader.replication.throttled.rate', operations.delete, null],
          ['replica.alter.log.dirs.io.max.bytes.per.second', operations.delete, null],
        ],
        { type: broker },
      ),
      'limits to take back from all brokers': await ask(
        '',
        [['follower.replication.throttled.rate', operations.delete, null]],
        { type: broker },
      ),
      'a limit to take back from another broker': await ask(
        '77',
        [['leader.replication.throttled.rate', operations.delete, null]],
        { type: broker },
      ),
      'a broker that is no number': await ask('abc', [['x', set, '1']], { type: broker }),
    }
    const twice = alter('c.alter', [['retention.ms', set, '5']])
    const both = { ...twice, resources: [...twice.resources, ...twice.resources] }
    return {
      ...answers,
      'a topic twice': await asked.ask(apis.incrementalAlterConfigs, 1, both),
      'a topic and an unknown one': await asked.ask(apis.incrementalAlterConfigs, 1, {
        ...twice,
        resources: [...twice.resources, ...alter('c.none', [['retention.ms', set, '5']]).resources],
      }),
      'what it has come to': await ownConfigs(asked, 'c.alter', 'retention.ms', '5'),
    }
  },

  'IncrementalAlterConfigs: rates of brokers that throttle': async (asked) => {
    const [leading, following] = ['leader', 'follower'].map(
      (side) => `${side}.replication.throttled.rate`,
    ) as [string, string]
    const ask = (name: string, ...changes: [string, number, string | null][]) =>
      asked.ask(apis.incrementalAlterConfigs, 1, alter(name, changes, { type: broker }))
    const answers: { [key: string]: unknown } = {}
    for (const value of ['0', '-1', '1.5', 'fast', '', '9223372036854775807']) {
      answers[`a rate of ${value}`] = await ask('1', [leading, set, value])
    }
    return {
      ...answers,
      'a null rate': await ask('1', [leading, set, null]),
      'append to a rate': await ask('1', [leading, append, '1']),
      'a key twice': await ask('1', [leading, set, '1'], [leading, set, '2']),
      'a key that is read at the start': await ask('1', ['log.dirs', set, '/x']),
      'a good and a bad one': await ask('1', [following, set, '5'], [leading, set, 'x']),
      'of all brokers': await ask('', [following, set, '70']),
      'of this broker': await ask('1', [following, set, '77'], [leading, set, '78']),
      'this broker': await ratesOf(asked, '1', '77,78'),
      'all brokers': await ratesOf(asked, '', '70'),
      'taken back': await ask('1', [following, operations.delete, null]),
      'taken back from all': await ask('', [following, operations.delete, null]),
      'the last one': await ask('1', [leading, operations.delete, null]),
      'nothing is left': await ratesOf(asked, '1', ''),
    }
  },

  'IncrementalAlterConfigs: a setting of brokers that topics go by': async (asked) => {
    await asked.make('c.goes', {})
    const key = 'unclean.leader.election.enable'
    const ask = (type: number, name: string, operation: number, value: string | null) =>
      asked.ask(apis.incrementalAlterConfigs, 1, alter(name, [[key, operation, value]], { type }))
    const shown = async (wanted: string) => ({
      'this broker': await oneOf(asked, { type: broker, name: '1', key }, wanted),
      'the topic': await oneOf(asked, { type: topic, name: 'c.goes', key }, wanted),
    })
    return {
      'no boolean': await ask(broker, '', set, 'maybe'),
      'a null value': await ask(broker, '', set, null),
      'append to it': await ask(broker, '', append, 'true'),
      'of nobody': await shown('false'),
      'of all brokers': await ask(broker, '', set, 'true'),
      'of all': await shown('true'),
      'of this broker': await ask(broker, '1', set, 'false'),
      'of this': await shown('false'),
      'of the topic': await ask(topic, 'c.goes', set, 'true'),
      'of all three': await oneOf(asked, { type: topic, name: 'c.goes', key }, 'true'),
      'taken back': await ask(topic, 'c.goes', operations.delete, null),
      'taken back from this broker': await ask(broker, '1', operations.delete, null),
      'taken back from all': await ask(broker, '', operations.delete, null),
      'nothing is left': await shown('false'),
    }
  },

  'AlterConfigs: what is not named goes back to its default': async (asked) => {
    await asked.make('c.replace', { configs: { 'retention.ms': '1', 'segment.ms': '2' } })
    const ask = (
      name: string,
      configs: { name: string; value: string | null }[],
      { version = 2, type = topic, validateOnly = false } = {},
    ) =>
      asked.ask(apis.alterConfigs, version, {
        resources: [{ resourceType: type, resourceName: name, configs }],
        validateOnly,
      })
    const key = (name: string, value: string | null) => ({ name, value })
    const answers = {
      'only checked': await ask('c.replace', [key('retention.ms', '9')], { validateOnly: true }),
      'a bad value': await ask('c.replace', [key('retention.ms', 'bad')]),
      'a null value': await ask('c.replace', [key('retention.ms', null)]),
      'an unknown key': await ask('c.replace', [key('no.such.key', '1')]),
      'a key twice': await ask('c.replace', [key('retention.ms', '1'), key('retention.ms', '2')]),
      'an unknown topic': await ask('c.none', [key('retention.ms', '1')]),
      'an invalid topic': await ask('not good', [key('retention.ms', '1')]),
      'an empty topic': await ask('', [key('retention.ms', '1')]),
      'version 0': await ask('c.replace', [key('flush.ms', '8000')], { version: 0 }),
      'version 1': await ask('c.replace', [key('retention.ms', '55')], { version: 1 }),
    }
    return {
      ...answers,
      'what it has come to': await ownConfigs(asked, 'c.replace', 'retention.ms', '55'),
    }
  },

  'topic keys: which values are taken': async (asked) => {
    const topicId = await asked.make('c.values')
    const request = describeConfigs([{ type: topic, name: 'c.values' }])
    const described = await asked.exact(apis.describeConfigs, 4, request)
    const keys = (described.results[0]?.configs ?? [])
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('naru.'))
      .sort()
    const answers: { [key: string]: unknown } = { isMade: topicId !== '' }
    for (const key of keys) answers[key] = await taken(asked, key)
    return answers
  },
}

/** The rates that are made for a broker, once they are those: Kafka's brokers learn of them after the answer. */
function ratesOf(asked: Asked, name: string, wanted: string) {
  return asked.until(`broker ${name} has the rates ${wanted}`, async () => {
    const request = describeConfigs([{ type: broker, name }], { includeSynonyms: true })
    const { results } = await asked.exact(apis.describeConfigs, 4, request)
    const rates = (results[0]?.configs ?? [])
      .filter((each) => each.name.endsWith('.throttled.rate'))
      .map(({ documentation: _, ...rest }) => rest)
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    return rates.map(({ value }) => value).join() === wanted ? rates : undefined
  })
}

/** One setting with all places that it comes from, once it is that. */
function oneOf(
  asked: Asked,
  { type, name, key }: { type: number; name: string; key: string },
  wanted: string,
) {
  return asked.until(`${key} of ${name} is ${wanted}`, async () => {
    const request = describeConfigs([{ type, name, keys: [key] }], { includeSynonyms: true })
    const { results } = await asked.exact(apis.describeConfigs, 4, request)
    const [found] = results[0]?.configs ?? []
    if (found?.value !== wanted) return undefined
    const { documentation: _, ...shown } = found
    return shown
  })
}

/** A topic's own settings, once a change is seen: Kafka's brokers learn of it after the answer. */
async function ownConfigs(asked: Asked, name: string, key: string, value: string) {
  const own = await asked.until(`${name} has ${key}=${value}`, async () => {
    const request = describeConfigs([{ type: topic, name }])
    const { results } = await asked.exact(apis.describeConfigs, 4, request)
    const configs = results[0]?.configs.filter(({ configSource }) => configSource === 1) ?? []
    return configs.some((each) => each.name === key && each.value === value) ? configs : undefined
  })
  return own.map((each) => `${each.name}=${each.value}`).sort()
}
