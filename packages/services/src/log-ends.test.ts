import { beforeEach, expect, it } from 'vitest'
import { idOf } from '../../metadata/src/testing/cluster.ts'
import { ReplicaLogEnds } from './log-ends.ts'

/** By broker: whether it answers, and under which registration. */
let epochs: Map<number, bigint | undefined>
/** What lies on a broker, by partition. */
let ends: Map<number, ReadonlyMap<number, bigint>>
let silent: Set<number>
/** Who says what nobody understands. */
let garbled: Set<number>
let questions: number[]

beforeEach(() => {
  epochs = new Map([1, 2, 3].map((nodeId) => [nodeId, BigInt(10 * nodeId)]))
  ends = new Map()
  silent = new Set()
  garbled = new Set()
  questions = []
})

const topicId = idOf(1)
const asked = (partition: number, ...replicas: number[]) => ({ topicId, partition, replicas })

function brokerOf(nodeId: number): ReplicaLogEnds {
  const host = (partition: number) => {
    const logEndOffset = ends.get(nodeId)?.get(partition)
    return logEndOffset === undefined
      ? undefined
      : { logEnd: async () => ({ lastEpoch: 4, logEndOffset }) }
  }
  return new ReplicaLogEnds({
    metadata: {
      membership: { brokerEpoch: epochs.get(nodeId) } as never,
      askBroker: async (id, { payload }) => {
        questions.push(id)
        if (silent.has(id)) return undefined
        return garbled.has(id) ? Buffer.from('?') : brokerOf(id).answer(payload)
      },
    },
    partitions: {
      topicNamed: (id) => (id === topicId ? 'orders' : undefined),
      get: (_, partition) => host(partition) as never,
    },
  })
}

const found = async (...partitions: ReturnType<typeof asked>[]) =>
  (await brokerOf(1).of(partitions)).map((candidates) =>
    candidates
      .map(({ nodeId, brokerEpoch, logEndOffset }) => `${nodeId}@${brokerEpoch}: ${logEndOffset}`)
      .sort(),
  )

it('asks each broker once for all that it holds, itself too', async () => {
  ends.set(1, new Map([[0, 5n]]))
  ends.set(
    2,
    new Map([
      [0, 7n],
      [1, 0n],
    ]),
  )
  expect(await found(asked(0, 1, 2), asked(1, 2))).toEqual([['1@10: 5', '2@20: 7'], ['2@20: 0']])
  expect(questions.sort()).toEqual([1, 2])
})

it('leaves out who does not answer, who is not registered, and what a broker does not have', async () => {
  for (const nodeId of [1, 2, 3]) ends.set(nodeId, new Map([[0, 3n]]))
  silent.add(2)
  epochs.set(3, undefined)
  expect(await found(asked(0, 1, 2, 3), asked(1, 1))).toEqual([['1@10: 3'], []])
})

it('leaves out whom it does not understand', async () => {
  for (const nodeId of [1, 2]) ends.set(nodeId, new Map([[0, 3n]]))
  garbled.add(2)
  expect(await found(asked(0, 1, 2))).toEqual([['1@10: 3']])
})

it('knows nothing of a topic that is not there', async () => {
  ends.set(1, new Map([[0, 3n]]))
  expect(await found({ ...asked(0, 1), topicId: idOf(2) })).toEqual([[]])
})
