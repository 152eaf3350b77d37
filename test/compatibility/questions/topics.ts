/** Questions about creating, deleting and growing topics. */
import { zeroTopicId } from '@naru/model'
import { apis } from '@naru/protocol'
import type { Questions } from '../../support/asked.ts'
import { create, newTopic } from '../../support/requests.ts'

const strangeId = 'AAAAAAAAAAAAAAAAAAAAEA'
const assigned = (...replicas: number[][]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
})

export const topicQuestions: Questions = {
  'CreateTopics: every version': async (asked) =>
    asked.atVersions(
      apis.createTopics,
      (version) => create([newTopic(`made.${version}`, { configs: { 'retention.ms': '5000' } })]),
      { versions: [2, 3, 4, 5, 6, 7] },
    ),

  'CreateTopics: names': async (asked) => {
    await asked.make('name.taken')
    const names = ['', '.', '..', 'a b', 'ä', 'x'.repeat(249), 'x'.repeat(250), 'name.taken']
    const collisions = ['name_taken', 'pair.x', 'pair_x', '__cluster_metadata']
    const oneByOne: { [name: string]: unknown } = {}
    for (const name of [...names, ...collisions]) {
      const request = create([newTopic(name)], true)
      oneByOne[name] = await asked.ask(apis.createTopics, 4, request)
    }
    return {
      ...oneByOne,
      'two that collide': await asked.ask(
        apis.createTopics,
        4,
        create([newTopic('both.x'), newTopic('both_x')], true),
      ),
      'one twice': await asked.ask(
        apis.createTopics,
        4,
        create([newTopic('twice'), newTopic('single'), newTopic('twice')], true),
      ),
      'no topics': await asked.ask(apis.createTopics, 4, create([])),
    }
  },

  'CreateTopics: partitions and replicas': async (asked) => {
    const ask = (fields: Parameters<typeof newTopic>[1], version = 7) =>
      asked.ask(apis.createTopics, version, create([newTopic('shape', fields)], true))
    const shape = (numPartitions: number, replicationFactor: number) =>
      ask({ numPartitions, replicationFactor }, 4)
    const gap = [{ partitionIndex: 1, brokerIds: [1] }]
    const twice = [...gap, ...gap, { partitionIndex: 0, brokerIds: [1] }]
    return {
      defaults: await ask({ numPartitions: -1, replicationFactor: -1 }),
      'no partitions': await shape(0, 1),
      'negative partitions': await shape(-2, 1),
      'no replicas': await shape(1, 0),
      'negative replicas': await shape(1, -2),
      'no partitions and no replicas': await shape(0, 0),
      'too many replicas': await shape(1, 2),
      'too many partitions': await shape(10_001, 1),
      assigned: await ask(assigned([1], [1])),
      'assigned, with a count': await ask({ ...assigned([1]), numPartitions: 1 }),
      'assigned, with a factor': await ask({ ...assigned([1]), replicationFactor: 1 }),
      'assigned to a stranger': await ask(assigned([9])),
      'assigned to a negative': await ask(assigned([-1])),
      'assigned to one twice': await ask(assigned([1, 1])),
      'assigned to nobody': await ask(assigned([])),
      'assigned unevenly': await ask(assigned([1], [1, 9])),
      'assigned with a gap': await ask({ ...assigned(), assignments: gap }),
      'a partition assigned twice': await ask({ ...assigned(), assignments: twice }),
    }
  },

  'CreateTopics: configs': async (asked) => {
    const ask = (configs: { [key: string]: string | null }) =>
      asked.ask(apis.createTopics, 4, create([newTopic('configured', { configs })], true))
    const twice = newTopic('configured', { configs: { 'retention.ms': '1' } })
    twice.configs.push({ name: 'retention.ms', value: '2' })
    return {
      unknown: await ask({ 'no.such.key': '1' }),
      bad: await ask({ 'retention.ms': 'long' }),
      null: await ask({ 'retention.ms': null }),
      empty: await ask({ 'retention.ms': '' }),
      twice: await asked.ask(apis.createTopics, 4, create([twice], true)),
      'answered in full': await asked.ask(
        apis.createTopics,
        5,
        create([newTopic('answered', { configs: { 'segment.ms': '7000' } })], true),
      ),
    }
  },

  'CreateTopics: validating creates nothing': async (asked) => {
    const validated = await asked.ask(apis.createTopics, 7, create([newTopic('not.made')], true))
    const made = await asked.ask(apis.createTopics, 7, create([newTopic('not.made')]))
    return { validated, made }
  },

  'DeleteTopics: by name and by id': async (asked) => {
    for (const name of ['del.1', 'del.2', 'del.4', 'del.6', 'del.id']) await asked.make(name)
    const byName = (...topicNames: string[]) => ({
      topics: topicNames.map((name) => ({ name, topicId: zeroTopicId })),
      topicNames,
      timeoutMs: 10_000,
    })
    const by = (...topics: { name: string | null; topicId: string }[]) => ({
      topics,
      topicNames: [],
      timeoutMs: 10_000,
    })
    const topicId = await asked.idOf('del.id')
    const answers = {
      'version 1': await asked.ask(apis.deleteTopics, 1, byName('del.1')),
      'version 2': await asked.ask(apis.deleteTopics, 2, byName('del.2', 'del.none')),
      'version 4': await asked.ask(apis.deleteTopics, 4, byName('del.4')),
      'version 5, unknown and invalid': await asked.ask(
        apis.deleteTopics,
        5,
        byName('del.none', 'not good'),
      ),
      'none at all': await asked.ask(apis.deleteTopics, 6, byName()),
      'an unknown id': await asked.ask(
        apis.deleteTopics,
        6,
        by({ name: null, topicId: strangeId }),
      ),
      'neither name nor id': await asked.ask(
        apis.deleteTopics,
        6,
        by({ name: null, topicId: zeroTopicId }),
      ),
      'name and id': await asked.ask(apis.deleteTopics, 6, by({ name: 'del.id', topicId })),
      'one name twice': await asked.ask(apis.deleteTopics, 6, byName('del.6', 'del.6')),
      'one id twice': await asked.ask(
        apis.deleteTopics,
        6,
        by({ name: null, topicId }, { name: null, topicId }),
      ),
      'the same by name and by id': await asked.ask(
        apis.deleteTopics,
        6,
        by({ name: 'del.id', topicId: zeroTopicId }, { name: null, topicId }),
      ),
      'an id': await asked.ask(apis.deleteTopics, 6, by({ name: null, topicId })),
      'a name': await asked.ask(apis.deleteTopics, 6, byName('del.6')),
    }
    await asked.gone('del.id')
    return answers
  },

  'CreatePartitions: counts and assignments': async (asked) => {
    await asked.make('grow', { numPartitions: 2 })
    await asked.make('grow.0')
    await asked.make('grow.1')
    const ask = (
      topics: { name: string; count: number; brokerIds?: number[][] | null }[],
      { validateOnly = true, version = 3 } = {},
    ) =>
      asked.ask(apis.createPartitions, version, {
        topics: topics.map(({ name, count, brokerIds = null }) => ({
          name,
          count,
          assignments: brokerIds?.map((ids) => ({ brokerIds: ids })) ?? null,
        })),
        timeoutMs: 10_000,
        validateOnly,
      })
    const to = (count: number, brokerIds: number[][] | null = null) =>
      ask([{ name: 'grow', count, brokerIds }])
    const answers = {
      'version 0': await ask([{ name: 'grow.0', count: 2 }], { version: 0, validateOnly: false }),
      'version 1': await ask([{ name: 'grow.1', count: 3 }], { version: 1, validateOnly: false }),
      'the same count': await to(2),
      fewer: await to(1),
      none: await to(0),
      negative: await to(-1),
      'far too many': await to(10_003),
      more: await to(4),
      assigned: await to(3, [[1]]),
      'assigned, but empty': await to(3, []),
      'assigned for another count': await to(4, [[1]]),
      'assigned to a stranger': await to(3, [[9]]),
      'assigned to two': await to(3, [[1, 9]]),
      'assigned to nobody': await to(3, [[]]),
      'an unknown topic': await ask([{ name: 'grow.none', count: 2 }]),
      'an invalid topic': await ask([{ name: 'not good', count: 2 }]),
      'a topic twice': await ask([
        { name: 'grow', count: 3 },
        { name: 'grow', count: 4 },
      ]),
      'nothing at all': await ask([]),
      'in earnest': await ask([{ name: 'grow', count: 3 }], { validateOnly: false }),
    }
    await asked.usable('grow', 3)
    return answers
  },
}
