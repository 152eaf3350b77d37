// The controller has partitions led that nobody complete can lead, where their topic allows it.
import type { AskedReplicas, Candidate, Command } from '@naru/metadata'
import { beforeEach, describe, expect, it } from 'vitest'
import { ConsensusError } from '../../consensus/src/errors.ts'
import { UncleanElections } from '../../consensus/src/unclean-elections.ts'
import { idOf, TestCluster } from '../../metadata/src/testing/cluster.ts'
import { SimulatedClock } from './simulated-clock.ts'

const setting = 'unclean.leader.election.enable'
const soonMs = 500

let clock: SimulatedClock
let cluster: TestCluster
let elections: UncleanElections
/** How many partitions were asked about, question by question. */
let questions: number[]
let asked: AskedReplicas[]
let commands: Command[]
/** How far a replica goes; undefined when it does not answer. */
let endOf: (nodeId: number) => bigint | undefined
let beforeAnswer: () => void
let beforeDecision: () => void

beforeEach(() => {
  clock = new SimulatedClock()
  cluster = new TestCluster(1, 2, 3)
  questions = []
  asked = []
  commands = []
  endOf = () => 5n
  beforeAnswer = () => {}
  beforeDecision = () => {}
})

/** A topic of which broker 1 alone has everything, and broker 1 is away. */
function offline(partitions: number, configs: Record<string, string> = { [setting]: 'true' }) {
  const assignments = Array.from({ length: partitions }, (_, partition) => {
    return { partition, replicas: [1, 2, 3] }
  })
  const all = Object.entries({ 'min.insync.replicas': '1', ...configs })
  cluster.accepted({
    type: 'createTopic',
    topic: {
      ...{ name: 'orders', partitions: -1, replicationFactor: -1, assignments },
      configs: all.map(([name, value]) => ({ name, value })),
    },
    topicId: idOf(1),
    validateOnly: false,
  })
  cluster.settings = { ...cluster.settings, changesPerBatch: 10_000 }
  cluster.fence(2, 3, 1)
}

function start(): void {
  elections = new UncleanElections({
    clock,
    image: cluster.image,
    settings: cluster.settings,
    logEnds: async (partitions) => {
      questions.push(partitions.length)
      asked.push(...partitions)
      beforeAnswer()
      const answers = partitions.map(({ replicas }) =>
        replicas.flatMap((nodeId): Candidate[] => {
          const logEndOffset = endOf(nodeId)
          if (logEndOffset === undefined) return []
          return [{ ...cluster.key(nodeId), lastEpoch: 0, logEndOffset }]
        }),
      )
      await new Promise<void>((resolve) => clock.setTimer(10, resolve))
      return answers
    },
    submit: async (command) => {
      beforeDecision()
      commands.push(command)
      return cluster.run(command)
    },
  })
}

/** What is committed is told, as a controller tells it. */
function told(change: () => void): void {
  change()
  elections.changed(cluster.records)
}

function set(value: string): void {
  const changes = [{ name: setting, operation: 'set', value } as const]
  cluster.accepted({ type: 'alterTopicConfig', topic: 'orders', changes, validateOnly: false })
}

const pass = (ms: number) =>
  clock.drive(new Promise<void>((resolve) => clock.setTimer(ms, resolve)))
const leaders = () => cluster.image.topics.get('orders')?.partitions.map(({ leader }) => leader)

describe('elects', () => {
  it('what the controller before it left, soon, the longest log of those that answer', async () => {
    offline(2)
    cluster.unfence(2, 3)
    endOf = (nodeId) => (nodeId === 3 ? 9n : 5n)
    start()
    await pass(soonMs)
    expect(leaders()).toEqual([3, 3])
    expect(cluster.records).toContainEqual(
      expect.objectContaining({ type: 'uncleanElection', leader: 3, isCommanded: false }),
    )
    expect(commands).toMatchObject([{ type: 'electLeaders', kind: 'unclean', isCommanded: false }])
  })

  it('when a replica registers that could lead', async () => {
    offline(1)
    start()
    await pass(10 * soonMs)
    expect(questions).toEqual([])
    told(() => cluster.unfence(3))
    await pass(soonMs)
    expect(leaders()).toEqual([3])
  })

  it('when the last complete replica is fenced', async () => {
    offline(1)
    cluster.unfence(1, 2)
    start()
    await pass(10 * soonMs)
    expect(leaders()).toEqual([1])
    told(() => cluster.fence(1))
    await pass(soonMs)
    expect(leaders()).toEqual([2])
  })

  it('when the setting is turned on', async () => {
    offline(1, {})
    cluster.unfence(2)
    start()
    await pass(10 * soonMs)
    expect([questions, leaders()]).toEqual([[], [-1]])
    told(() => set('true'))
    await pass(soonMs)
    expect(leaders()).toEqual([2])
  })

  it('what is told while it is at work', async () => {
    offline(1)
    cluster.unfence(2)
    endOf = (nodeId) => (nodeId === 3 ? 1n : undefined)
    start()
    beforeAnswer = () => {
      beforeAnswer = () => {}
      told(() => cluster.unfence(3))
    }
    // Before it would ask those again that are silent.
    await pass(2 * soonMs)
    expect(leaders()).toEqual([3])
  })
})

describe('waits a moment', () => {
  it('for a complete replica that comes back right after another', async () => {
    offline(1)
    start()
    await pass(200)
    told(() => cluster.unfence(2))
    await pass(200)
    told(() => cluster.unfence(1))
    await pass(soonMs)
    expect(leaders()).toEqual([1])
    expect(questions).toEqual([])
  })

  it('and no longer, whatever else changes', async () => {
    offline(1)
    start()
    for (let round = 0; round < 20; round++) {
      await pass(100)
      if (leaders()?.[0] === -1) cluster.unfence(2)
      elections.changed([{ type: 'partition', ...cluster.partition, leader: -1 }])
    }
    expect(leaders()).toEqual([2])
  })
})

describe('does not', () => {
  it('elect where a complete replica is back before it is decided', async () => {
    offline(1)
    cluster.unfence(2)
    start()
    beforeDecision = () => cluster.unfence(1)
    await pass(soonMs)
    expect(leaders()).toEqual([1])
    expect(cluster.partition.isRecovering).toBe(false)
  })

  it('elect where the setting is turned off before it is decided', async () => {
    offline(1)
    cluster.unfence(2)
    start()
    beforeDecision = () => set('false')
    await pass(10 * soonMs)
    expect(leaders()).toEqual([-1])
    // Nor does it ask again.
    expect(questions).toEqual([1])
  })

  it('ask the controller when nobody answers, and asks the replicas again after a while', async () => {
    offline(1)
    cluster.unfence(2)
    endOf = () => undefined
    start()
    await pass(3_000)
    expect(commands).toEqual([])
    expect(questions.length).toBeLessThanOrEqual(3)
    endOf = () => 7n
    await pass(2_000)
    expect(leaders()).toEqual([2])
  })

  it('ask who is away', async () => {
    offline(1)
    cluster.unfence(3)
    start()
    await pass(soonMs)
    expect(asked.map(({ replicas }) => replicas)).toEqual([[3]])
  })

  it('go on when it is stopped', async () => {
    offline(1)
    cluster.unfence(2)
    start()
    beforeAnswer = () => elections.stop()
    await pass(10 * soonMs)
    expect([questions, commands, leaders()]).toEqual([[1], [], [-1]])
    told(() => cluster.unfence(3))
    await pass(10 * soonMs)
    expect(questions).toEqual([1])
  })

  it('give up when this node is handing over, and goes on leading', async () => {
    offline(1)
    cluster.unfence(2)
    start()
    beforeDecision = () => {
      beforeDecision = () => {}
      throw new ConsensusError('NOT_LEADER', 'This node hands over')
    }
    await pass(5_000)
    expect(leaders()).toEqual([2])
  })
})

describe('thousands of partitions', () => {
  const many = 1_200

  it('are asked about and decided some at a time', async () => {
    offline(many)
    cluster.unfence(2, 3)
    start()
    await pass(soonMs)
    expect(questions).toEqual([500, 500, 200])
    expect(commands.map((command) => 'partitions' in command && command.partitions.length)).toEqual(
      [500, 500, 200],
    )
    expect(leaders()?.every((leader) => leader === 2)).toBe(true)
  })

  it('wait for a silent broker no more once it is fenced', async () => {
    offline(many)
    cluster.unfence(2, 3)
    endOf = (nodeId) => (nodeId === 2 ? undefined : 5n)
    start()
    beforeAnswer = () => {
      beforeAnswer = () => {}
      cluster.fence(2)
    }
    await pass(soonMs)
    expect(questions).toEqual([500, 500, 200])
    expect(asked.filter(({ replicas }) => replicas.includes(2))).toHaveLength(500)
    expect(leaders()?.every((leader) => leader === 3)).toBe(true)
  })

  it('of which none can be decided are tried once in a while', async () => {
    offline(many)
    cluster.unfence(2)
    endOf = () => undefined
    start()
    await pass(1_000)
    expect(questions).toEqual([500, 500, 200])
  })
})
