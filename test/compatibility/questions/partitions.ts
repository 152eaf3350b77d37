/** Questions about elections and reassignments, as far as one broker has something to say about them. */
import { apis } from '@naru/protocol'
import type { Asked, Questions } from '../../support/asked.ts'

const timeoutMs = 10_000
const unordered = 'replicaElectionResults'

const elect = (
  asked: Asked,
  named: readonly [topic: string, ...partitions: number[]][] | null,
  { version = 2, kind = 0 } = {},
) => {
  const topicPartitions = named?.map(([topic, ...partitions]) => ({ topic, partitions })) ?? null
  const request = { electionType: kind, topicPartitions, timeoutMs }
  return asked.ask(apis.electLeaders, version, request, { unordered })
}

const alter = (
  asked: Asked,
  moves: { readonly [topic: string]: { readonly [partition: string]: number[] | null } },
  { version = 1, allowReplicationFactorChange = true } = {},
) => {
  const topics = Object.entries(moves).map(([name, partitions]) => ({
    name,
    partitions: Object.entries(partitions).map(([partition, replicas]) => {
      return { partitionIndex: Number(partition), replicas }
    }),
  }))
  const request = { timeoutMs, allowReplicationFactorChange, topics }
  return asked.ask(apis.alterPartitionReassignments, version, request)
}

export const partitionQuestions: Questions = {
  'ElectLeaders: named partitions': async (asked) => {
    await asked.make('elected', { numPartitions: 2 })
    return {
      preferred: await elect(asked, [['elected', 0, 1]]),
      'preferred, version 1': await elect(asked, [['elected', 1]], { version: 1 }),
      'preferred, version 0': await elect(asked, [['elected', 1]], { version: 0 }),
      unclean: await elect(asked, [['elected', 0]], { kind: 1 }),
      unknown: await elect(asked, [
        ['nowhere', 0],
        ['elected', 7, -1, 0],
      ]),
      twice: await elect(asked, [
        ['elected', 0, 0],
        ['elected', 0],
      ]),
      'no partitions': await elect(asked, [['elected']]),
      nothing: await elect(asked, []),
      'another kind': await elect(asked, [['elected', 0]], { kind: 5 }),
      'another kind of all': await elect(asked, null, { kind: -1 }),
    }
  },

  'AlterPartitionReassignments: targets': async (asked) => {
    await asked.make('moved', { numPartitions: 2 })
    return {
      'where it is': await alter(asked, { moved: { 0: [1] } }),
      'nothing to take back': await alter(asked, { moved: { 0: null } }),
      unknown: await alter(asked, { nowhere: { 0: [1] }, moved: { 7: [1], 1: [1] } }),
      'unknown, taken back': await alter(asked, { nowhere: { 0: null }, moved: { 7: null } }),
      nowhere: await alter(asked, { moved: { 0: [] } }),
      'a broker twice': await alter(asked, { moved: { 0: [1, 1] } }),
      'a stranger': await alter(asked, { moved: { 0: [9], 1: [-1] } }),
      'a stranger, version 0': await alter(asked, { moved: { 0: [9] } }, { version: 0 }),
      'no partitions': await alter(asked, { moved: {} }),
      nothing: await alter(asked, {}),
      'the same number of replicas': await alter(
        asked,
        { moved: { 0: [1] } },
        { allowReplicationFactorChange: false },
      ),
    }
  },

  'ListPartitionReassignments: nothing is under way': async (asked) => {
    await asked.make('still')
    const list = (named: readonly [string, ...number[]][] | null) => {
      const topics =
        named?.map(([name, ...partitionIndexes]) => ({ name, partitionIndexes })) ?? null
      return asked.ask(apis.listPartitionReassignments, 0, { timeoutMs, topics })
    }
    return {
      all: await list(null),
      one: await list([['still', 0]]),
      unknown: await list([
        ['nowhere', 0],
        ['still', 7],
      ]),
      nothing: await list([]),
    }
  },
}
