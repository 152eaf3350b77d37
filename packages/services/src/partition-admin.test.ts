import { type Command, type CommandType, isRefusal, type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { beforeEach, describe, expect, it } from 'vitest'
import { idOf, TestCluster } from '../../metadata/src/testing/cluster.ts'
import { PartitionAdmin, type PartitionOutcome } from './partition-admin.ts'

const left = () => 1_000

let cluster: TestCluster
let admin: PartitionAdmin
let asked: Command[]
let noAnswer: Refusal | undefined
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3, 4)
  asked = []
  noAnswer = undefined
  const submit = async (command: Command & { readonly type: CommandType }) => {
    asked.push(command)
    return noAnswer ?? cluster.run(command)
  }
  admin = new PartitionAdmin({
    metadata: { image: cluster.image, submit } as never,
    logEnds: async (partitions) =>
      partitions.map(({ replicas }) =>
        replicas.flatMap((nodeId) => {
          const { brokerEpoch } = cluster.key(nodeId)
          return brokerEpoch < 0n ? [] : [{ nodeId, brokerEpoch, lastEpoch: 0, logEndOffset: 5n }]
        }),
      ),
    history: { of: () => ({}) },
    topicConfigs: { setting: () => 'false' },
  })
})

const orders = { topic: 'orders', partition: 0 }
const strange = { topic: 'orders', partition: 7 }

function namesOf(outcomes: PartitionOutcome[] | Refusal): string[] {
  if (isRefusal(outcomes)) return [outcomes.error.name]
  return outcomes.map(({ topic, partition, refusal: no }) => {
    return `${topic}/${partition} ${no?.error.name ?? 'done'}`
  })
}

function other(name: string, replicas: readonly number[]): void {
  const topic = {
    ...{ name, partitions: -1, replicationFactor: -1, configs: [] },
    assignments: [{ partition: 0, replicas }],
  }
  cluster.accepted({ type: 'createTopic', topic, topicId: idOf(9), validateOnly: false })
}

describe('elect', () => {
  it('answers for each that was asked for, also twice, and asks the controller once', async () => {
    cluster.topic([1, 2])
    await admin.reassign([{ ...orders, replicas: [2, 1] }], { allowsOtherFactor: true, left })
    const outcomes = await admin.elect('preferred', [strange, orders, orders], left)
    expect(namesOf(outcomes)).toEqual([
      'orders/7 UNKNOWN_TOPIC_OR_PARTITION',
      'orders/0 done',
      'orders/0 done',
    ])
    expect(cluster.partition.leader).toBe(2)
    expect(asked.at(-1)).toMatchObject({ type: 'electLeaders', partitions: [{ partition: 0 }] })
    expect(asked.at(-1)).toHaveProperty('partitions.length', 1)
    expect(namesOf(await admin.elect('preferred', [orders], left))).toEqual([
      'orders/0 ELECTION_NOT_NEEDED',
    ])
  })

  it('asks nothing when there is nothing', async () => {
    expect(await admin.elect('preferred', [strange], left)).toHaveLength(1)
    expect(await admin.elect('unclean', null, left)).toEqual([])
    expect(asked).toEqual([])
  })

  it('all: those that need it', async () => {
    cluster.topic([1, 2])
    other('made', [2, 3])
    cluster.fence(1)
    expect(namesOf(await admin.elect('preferred', null, left))).toEqual([
      'orders/0 PREFERRED_LEADER_NOT_AVAILABLE',
    ])
    // The controller is not asked about the other one.
    expect(asked).toMatchObject([{ partitions: [{ topicId: idOf(1) }] }])
    cluster.unfence(1)
    cluster.propose([1, 2])
    expect(namesOf(await admin.elect('preferred', null, left))).toEqual(['orders/0 done'])
  })

  it('all: where somebody else was faster, nothing is told', async () => {
    cluster.topic([1, 2])
    cluster.fence(1)
    noAnswer = {
      partitions: [{ errorCode: kafkaErrors.ELECTION_NOT_NEEDED.code, message: '' }],
    } as never
    expect(await admin.elect('preferred', null, left)).toEqual([])
  })

  it('unclean: takes one that is there, and that had everything last', async () => {
    cluster.topic([1, 2], { 'naru.flush': 'async' })
    cluster.fence(1, 2)
    expect(namesOf(await admin.elect('unclean', [orders], left))).toEqual([
      'orders/0 ELIGIBLE_LEADERS_NOT_AVAILABLE',
    ])
    cluster.startAfter('os-crash', 1)
    cluster.startAfter('os-crash', 2)
    cluster.unfence(2)
    expect(namesOf(await admin.elect('unclean', null, left))).toEqual(['orders/0 done'])
    expect(cluster.partition).toMatchObject({ leader: 2, isr: [2], isRecovering: true })
  })

  it('is refused as a whole when no controller answers', async () => {
    cluster.topic([1, 2])
    noAnswer = refusal(kafkaErrors.REQUEST_TIMED_OUT, 'nobody leads')
    expect(namesOf(await admin.elect('preferred', [orders], left))).toEqual(['REQUEST_TIMED_OUT'])
  })
})

describe('reassign', () => {
  const reassign = (replicas: number[] | null, allowsOtherFactor = true) =>
    admin.reassign([{ ...orders, replicas }], { allowsOtherFactor, left })

  it('starts, shows and takes back', async () => {
    cluster.topic([1, 2])
    expect(admin.reassignments(null)).toEqual([])
    expect(namesOf(await reassign([3, 2]))).toEqual(['orders/0 done'])
    const under = { ...orders, replicas: [3, 2, 1], adding: [3], removing: [1] }
    expect(admin.reassignments(null)).toEqual([under])
    expect(admin.reassignments([strange, orders])).toEqual([under])
    expect(admin.reassignments([strange])).toEqual([])
    expect(namesOf(await reassign(null))).toEqual(['orders/0 done'])
    expect(namesOf(await reassign(null))).toEqual(['orders/0 NO_REASSIGNMENT_IN_PROGRESS'])
  })

  it('hands on that another number of replicas is not wanted', async () => {
    cluster.topic([1, 2])
    expect(namesOf(await reassign([1], false))).toEqual(['orders/0 INVALID_REPLICATION_FACTOR'])
  })

  it('goes to where it is sent last', async () => {
    cluster.topic([1, 2])
    const moves = [[3, 2], null, [4, 2]].map((replicas) => ({ ...orders, replicas }))
    const outcomes = await admin.reassign(moves, { allowsOtherFactor: true, left })
    expect(namesOf(outcomes)).toEqual(['orders/0 done', 'orders/0 done', 'orders/0 done'])
    expect(cluster.partition).toMatchObject({ addingReplicas: [4] })
  })
})

it('many partitions are asked for some at a time, and a refusal of some is one of all', async () => {
  const topic = {
    ...{ name: 'wide', partitions: 1_001, replicationFactor: 1 },
    ...{ assignments: [], configs: [] },
  }
  cluster.accepted({ type: 'createTopic', topic, topicId: idOf(1), validateOnly: false })
  const all = Array.from({ length: 1_001 }, (_, partition) => ({ topic: 'wide', partition }))
  expect(await admin.elect('preferred', all, left)).toHaveLength(1_001)
  expect(asked.map((command) => 'partitions' in command && command.partitions.length)).toEqual([
    1_000, 1,
  ])
})
