import { replayTelling } from '@naru/metadata'
import { beforeEach, describe, expect, it } from 'vitest'
import { directoryOfBroker, TestCluster } from '../../metadata/src/testing/cluster.ts'
import { explainPartition } from './partition-explanation.ts'
import { PartitionHistory } from './partition-history.ts'

let cluster: TestCluster
let history: PartitionHistory
let allowsUnclean: boolean
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3, 4)
  history = new PartitionHistory()
  allowsUnclean = false
})

function explained() {
  const { image, partition } = cluster
  const past = history.of(partition.topicId, partition.partition)
  return explainPartition(image, { topic: 'orders', partition, allowsUnclean }, past)
}

/** What the history hears of a change. */
function during(change: () => void): void {
  const before = structuredClone(cluster.image)
  change()
  history.note(replayTelling(before, cluster.records))
}

const words = () => explained().sentences.join('\n')
const reasonOf = (id: number) => explained().replicas.find(({ nodeId }) => nodeId === id)?.reason

describe('who leads', () => {
  it('is the preferred leader', () => {
    cluster.topic([1, 2, 3])
    expect(explained().sentences).toEqual([
      'Broker 1 leads: it is the first of the replicas 1, 2, 3, which is the preferred leader.',
      'All 3 replicas are in sync; writes with acks=all take 2.',
    ])
    expect(explained().replicas.map(({ state }) => state)).toEqual(['leader', 'inSync', 'inSync'])
  })

  it('is another one, since the preferred leader is fenced', () => {
    cluster.topic([1, 2, 3])
    during(() => cluster.fence(1))
    expect(words()).toContain(
      'Broker 2 leads, and not the preferred leader 1, which is out of sync',
    )
    expect(reasonOf(1)).toMatch(/^out of sync; its broker is fenced/)
    expect(words()).toContain(
      'The last election went from 1 to 2 in epoch 1 (a broker was silent for too long).',
    )
    expect(words()).toContain('changed last when broker 1 left (a broker was silent')
  })

  it('is another one, and the preferred leader could', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(1)
    cluster.unfence(1)
    expect(reasonOf(1)).toBe('out of sync; it has not caught up with the leader')
    expect(words()).toContain('the preferred leader 1, which is out of sync; it has not caught up')
    during(() => cluster.propose([1, 2, 3]))
    expect(words()).toContain('which could: an election of the preferred leader')
    expect(words()).toContain('when broker 1 joined (as the leader found it')
  })

  it('is nobody, until one is back that lacks nothing', () => {
    cluster.topic([1, 2])
    cluster.fence(1)
    cluster.fence(2)
    expect(cluster.partition).toMatchObject({ leader: -1, isr: [] })
    expect(words()).toMatch(
      /Nobody leads: brokers [12], [12], known to have all .* nothing is lost/,
    )
    expect(words()).toContain('0 of 2 replicas are in sync (none)')
    expect(reasonOf(1)).toMatch(
      /^out of sync, yet it has all that was acknowledged \(ELR\); its brok/,
    )
  })

  const loseTheEnd = () => {
    cluster.topic([1, 2], { 'naru.flush': 'async' })
    cluster.fence(1, 2)
    for (const id of [1, 2]) {
      cluster.startAfter('os-crash', id)
      cluster.unfence(id)
    }
  }

  it('is nobody, and nobody has everything', () => {
    loseTheEnd()
    expect(words()).toMatch(
      /no replica is known to .*; brokers? \d.* had it last\. Only an unclean/,
    )
    const [known] = cluster.partition.lastKnownElr
    expect(reasonOf(known as number)).toMatch(/until its machine lost data; it has not caught up/)
  })

  it('is nobody, and who lacks records may or may not lead', () => {
    cluster.topic([1, 2], { 'min.insync.replicas': '1' })
    cluster.fence(2, 1)
    const setting = 'unclean.leader.election.enable'
    expect(words()).toContain(`${setting} is false: broker 2 will not lead unless an operator asks`)
    allowsUnclean = true
    expect(words()).toContain(`${setting} is true: broker 2 may lead as soon as one is back`)
  })

  it('is nobody, and there is no other', () => {
    cluster.topic([1])
    cluster.fence(1)
    expect(words()).toContain('There is no other replica, so no unclean election could help.')
  })

  it('was elected uncleanly', () => {
    loseTheEnd()
    const candidates = [{ ...cluster.key(1), lastEpoch: 0, logEndOffset: 0n }]
    const { topicId, partition } = cluster.partition
    const partitions = [{ topicId, partition, candidates }]
    const request = { kind: 'unclean', isCommanded: true, partitions } as const
    during(() => void cluster.accepted({ type: 'electLeaders', ...request }))
    expect(words()).toMatch(/went from nobody to 1 in epoch \d+, uncleanly: .* \(an election was/)
    expect(words()).toContain('what others have beyond its log is cut back')
  })
})

it('who is in sync: too few to write', () => {
  cluster.topic([1, 2, 3])
  cluster.fence(2)
  cluster.fence(3)
  expect(words()).toContain('1 of 3 replicas is in sync (1), and min.insync.replicas asks for 2')
  expect(words()).toContain('Broker 3 can still lead without loss (ELR)')
})

it('a log directory that failed, one that is not there any more, and a broker that stops', () => {
  cluster.topic([1, 2, 3, 4])
  const directories = [directoryOfBroker(2)]
  cluster.accepted({ type: 'reportOfflineDirectories', ...cluster.key(2), directories })
  expect(reasonOf(2)).toBe(`out of sync; its log directory ${directoryOfBroker(2)} is offline`)
  cluster.accepted({ type: 'controlledShutdown', ...cluster.key(3) })
  expect(reasonOf(3)).toMatch(/its broker is about to stop/)
  cluster.fence(4)
  cluster.accepted({ type: 'unregisterBroker', nodeId: 4 })
  expect(reasonOf(4)).toMatch(/its broker is not registered$/)
})

it('a reassignment', () => {
  cluster.topic([1, 2])
  const { topicId, partition } = cluster.partition
  const partitions = [{ topicId, partition, replicas: [3, 2] }]
  cluster.accepted({ type: 'reassignPartitions', allowsOtherFactor: true, partitions })
  expect(words()).toContain('under way, with broker 3 to come, broker 1 to go')
  expect(reasonOf(3)).toBe('out of sync; it has not caught up with the leader; it is being added')
  expect(reasonOf(1)).toBe('leads; it goes when those that are added are in sync')
})
