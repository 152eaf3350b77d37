import { zeroTopicId } from '@naru/model'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Cleanliness } from './registration.ts'
import { directoryOfBroker, idOf, TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3)
})

describe('a registration', () => {
  it('has the index of its entry as epoch, and leaves the broker fenced', () => {
    cluster.start(4)
    expect(cluster.image.brokers.get(4)).toMatchObject({
      brokerEpoch: cluster.index,
      isFenced: true,
    })
  })

  it('of the same process again changes nothing', () => {
    const registration = cluster.registration(4)
    const command = { type: 'registerBroker', ...registration } as const
    const first = cluster.accepted(command)
    expect(cluster.accepted(command)).toEqual(first)
    expect(cluster.records).toEqual([])
  })

  it('of another process takes the place of a fenced one', () => {
    cluster.fence(1)
    cluster.start(1, { metadataDirectory: idOf(99), isPreviousSilent: false })
    expect(cluster.image.brokers.get(1)?.brokerEpoch).toBe(cluster.index)
  })

  it('on the same disk fences the old process in the same batch: the lock shows that it is gone', () => {
    cluster.topic([1, 2, 3])
    cluster.start(1)
    expect(cluster.partition).toMatchObject({ leader: 2, isr: [2, 3] })
  })

  it.each([
    ['on another disk, while the old process has its session', { metadataDirectory: idOf(99) }],
    ['on a cloned disk, while the old process is heard', { isPreviousSilent: false }],
  ])('is refused %s', (_, changes) => {
    const registration = cluster.registration(1, changes)
    expect(cluster.refused({ type: 'registerBroker', ...registration })).toBe(
      'DUPLICATE_BROKER_REGISTRATION',
    )
    expect(cluster.image.brokers.get(1)?.isFenced).toBe(false)
  })

  it('names the cluster when it is the first, and is refused by another cluster', () => {
    expect(cluster.image.clusterId).toBe('c')
    const registration = cluster.registration(4, { clusterId: 'other' })
    expect(cluster.refused({ type: 'registerBroker', ...registration })).toBe(
      'INCONSISTENT_CLUSTER_ID',
    )
  })

  it.each([
    [
      'an older level',
      [
        { name: 'metadata.version', min: 7, max: 28 },
        { name: 'naru.version', min: 1, max: 1 },
      ],
    ],
    ['no level', [{ name: 'metadata.version', min: 7, max: 31 }]],
  ])('is refused to a program that knows %s (KIP-584)', (_, features) => {
    const registration = cluster.registration(4, { features })
    expect(cluster.refused({ type: 'registerBroker', ...registration })).toBe('UNSUPPORTED_VERSION')
  })
})

describe('how the last process ended', () => {
  /** Broker 2 was eligible when it went; it starts again and then takes part. */
  const returned = (flush: string, cleanliness: Cleanliness, brokerEpoch?: bigint) => {
    cluster.topic([1, 2, 3], { 'naru.flush': flush })
    cluster.fence(3, 2, 1)
    expect(cluster.partition).toMatchObject({ isr: [], elr: [2, 1], leader: -1 })
    const changes = brokerEpoch === undefined ? { cleanliness } : { cleanliness, brokerEpoch }
    cluster.start(2, { directories: [cluster.directory(2, changes)] })
    cluster.unfence(2)
    return cluster.partition
  }

  it.each<[string, Cleanliness]>([
    ['ack', 'clean'],
    ['ack', 'process-crash'],
    ['ack', 'os-crash'],
    ['async', 'clean'],
    ['async', 'process-crash'],
  ])('with flush %s, after %s: nothing acknowledged is lost, it may lead', (flush, cleanliness) => {
    expect(returned(flush, cleanliness)).toMatchObject({ leader: 2, isr: [2], elr: [1] })
  })

  it('with flush async, after os-crash: it may lack the end, but is asked first', () => {
    const lossy = { leader: -1, isr: [], elr: [1], lastKnownElr: [2] }
    expect(returned('async', 'os-crash')).toMatchObject(lossy)
  })

  it.each(['ack', 'async'])('with flush %s, after unknown: it counts for nothing', (flush) => {
    const nothing = { leader: -1, isr: [], elr: [1], lastKnownElr: [] }
    expect(returned(flush, 'unknown')).toMatchObject(nothing)
  })

  it('is not believed of a disk that was in use under another registration (KIP-966)', () => {
    expect(returned('ack', 'clean', 1n)).toMatchObject({ leader: -1, elr: [1] })
  })

  it('is not believed of a directory that was not there before', () => {
    cluster.topic([2])
    cluster.start(2, { directories: [cluster.directory(2, { directoryId: idOf(88) })] })
    expect(cluster.partition).toMatchObject({ leader: -1, elr: [] })
  })

  it('is at best a crash of the machine for a directory that had failed', () => {
    cluster.topic([1, 2], { 'naru.flush': 'async' })
    cluster.fence(1)
    const directories = [directoryOfBroker(2)]
    cluster.accepted({ type: 'reportOfflineDirectories', ...cluster.key(2), directories })
    expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [1, 2] })
    cluster.startAfter('process-crash', 2)
    expect(cluster.partition).toMatchObject({ elr: [1], lastKnownElr: [2] })
  })

  it('does not matter to a replica that had been replaced as eligible', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(1)
    cluster.startAfter('unknown', 1)
    expect(cluster.partition).toMatchObject({ leader: 2, isr: [2, 3], elr: [] })
  })
})

describe('fencing', () => {
  it('moves leaderships within the ISR, and is the same again', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(1)
    expect(cluster.partition).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 1 })
    cluster.fence(1)
    expect(cluster.records).toEqual([])
  })

  it('an older process of the broker has no say', () => {
    const old = cluster.key(1)
    cluster.start(1)
    const commands = ['unfenceBroker', 'controlledShutdown'] as const
    for (const type of commands) {
      expect(cluster.refused({ type, ...old })).toBe('STALE_BROKER_EPOCH')
      expect(cluster.refused({ type, nodeId: 9, brokerEpoch: 1n })).toBe('BROKER_ID_NOT_REGISTERED')
    }
  })

  it('all, and unfencing the last that was complete, brings the partition back', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(1, 2, 3)
    cluster.unfence(1)
    expect(cluster.partition).toMatchObject({ leader: -1, elr: [2, 3] })
    cluster.unfence(3)
    expect(cluster.partition).toMatchObject({ leader: 3, isr: [3], elr: [2] })
  })
})

describe('a controlled shutdown', () => {
  const stop = (nodeId: number) =>
    cluster.accepted({ type: 'controlledShutdown', ...cluster.key(nodeId) })

  it('moves leaderships to others in sync, and takes the broker out of every ISR', () => {
    cluster.topic([1, 2, 3])
    expect(stop(1)).toEqual({ remaining: 0, movable: 0 })
    expect(cluster.partition).toMatchObject({ leader: 2, isr: [2, 3] })
    expect(cluster.image.brokers.get(1)).toMatchObject({ isFenced: false, isShuttingDown: true })
  })

  it('tells what nobody else can lead yet, and hands over once somebody can', () => {
    cluster.topic([1, 2], { 'min.insync.replicas': '1' })
    cluster.propose([1])
    expect(stop(1)).toEqual({ remaining: 1, movable: 1 })
    expect(cluster.partition.leader).toBe(1)
    cluster.propose([1, 2])
    expect(cluster.partition).toMatchObject({ leader: 2, isr: [2] })
    expect(stop(1)).toEqual({ remaining: 0, movable: 0 })
  })

  it('cannot move what has no other live replica', () => {
    cluster.topic([1])
    expect(stop(1)).toEqual({ remaining: 1, movable: 0 })
  })
})

it('a failed directory takes its replicas out, and no others', () => {
  cluster.topic([1, 2, 3])
  const directories = [directoryOfBroker(1)]
  cluster.accepted({ type: 'reportOfflineDirectories', ...cluster.key(1), directories })
  expect(cluster.partition).toMatchObject({ leader: 2, isr: [2, 3] })
  const others = { ...cluster.key(2), directories: [idOf(66)] }
  cluster.accepted({ type: 'reportOfflineDirectories', ...others })
  expect(cluster.partition).toMatchObject({ leader: 2, isr: [2, 3] })
})

it('an unregistered broker counts for nothing, and owes no confirmation', () => {
  cluster.topic([1, 2, 3])
  cluster.fence(3, 2, 1)
  cluster.accepted({ type: 'unregisterBroker', nodeId: 1 })
  expect(cluster.partition).toMatchObject({ elr: [2], lastKnownElr: [] })
  cluster.accepted({ type: 'deleteTopic', name: 'orders', topicId: zeroTopicId })
  const confirm = (nodeId: number) =>
    cluster.accepted({
      type: 'confirmDeletion',
      nodeId,
      deletions: [{ topicId: idOf(1), partition: -1 }],
    })
  confirm(2)
  confirm(2)
  expect(cluster.image.deletedTopics.get(idOf(1))?.holders).toEqual([3])
  confirm(3)
  expect(cluster.image.deletedTopics.size).toBe(0)
  expect(cluster.refused({ type: 'unregisterBroker', nodeId: 1 })).toBe('BROKER_ID_NOT_REGISTERED')
})

describe('a replica whose directory is not there any more', () => {
  const other = idOf(77)
  const register = (...directoryIds: string[]) =>
    cluster.start(2, {
      directories: directoryIds.map((directoryId) => ({
        directoryId,
        cleanliness: 'unknown',
        brokerEpoch: -1n,
      })),
    })

  it('is filled anew on the disk that took its place', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(2)
    register(other)
    expect(cluster.partition.directories).toEqual([
      directoryOfBroker(1),
      other,
      directoryOfBroker(3),
    ])
    expect(cluster.partition).toMatchObject({ isr: [1, 3], replicas: [1, 2, 3] })
  })

  it('keeps its place while one disk of several is away', () => {
    register(directoryOfBroker(2), other)
    cluster.unfence(2)
    cluster.topic([1, 2, 3])
    const { directories } = cluster.partition
    const missing = directories[1]
    register(...[directoryOfBroker(2), other].filter((id) => id !== missing))
    expect(cluster.partition.directories).toEqual(directories)
  })
})
