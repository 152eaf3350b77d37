// Whatever is asked of the controller in whatever order, its image keeps its promises.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Command } from './commands.ts'
import { isRefusal } from './decision.ts'
import { cloneImage, emptyImage, type MetadataImage, type PartitionImage } from './image.ts'
import { imageRecords, restoreImage } from './image-records.ts'
import { decodeMetadataRecords, encodeMetadataRecords } from './records.ts'
import { cleanlinesses } from './registration.ts'
import { replay } from './replay.ts'
import { directoryOfBroker, idOf, TestCluster } from './testing/cluster.ts'

const brokers = [1, 2, 3, 4]
const topics = ['a', 'b']

/** What a step does with its numbers is up to the kind of step. */
const kinds = [
  'start',
  'start',
  'fence',
  'fence',
  'unfence',
  'unfence',
  'unfence',
  'stop',
  'create',
  'grow',
  'minIsr',
  'flush',
  'unclean',
  'delete',
  'confirm',
  'propose',
  'propose',
  'propose',
  'propose',
  'repeat',
  'prefer',
  'rescue',
  'move',
  'cancel',
  'fail',
  'unregister',
] as const

interface Step {
  readonly kind: (typeof kinds)[number]
  readonly broker: number
  readonly topic: string
  readonly pick: number
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(...kinds),
    broker: fc.constantFrom(...brokers),
    topic: fc.constantFrom(...topics),
    pick: fc.nat(255),
  }),
  { minLength: 20, maxLength: 80 },
)

class Walk {
  readonly cluster = new TestCluster(...brokers)
  readonly #sent: Command[] = []
  #topics = 0

  /** The command of a step; undefined when it makes no sense now. */
  commandOf({ kind, broker: nodeId, topic, pick }: Step): Command | undefined {
    const { cluster } = this
    const { image } = cluster
    const key = cluster.key(nodeId)
    const partition = this.#partition(topic, pick)
    const at = { topicId: partition?.topicId ?? idOf(0), partition: partition?.partition ?? 0 }
    const setting = (name: string, value: string): Command => ({
      type: 'alterTopicConfig',
      topic,
      changes: [{ name, operation: 'set', value }],
      validateOnly: false,
    })
    switch (kind) {
      case 'start': {
        const cleanliness = cleanlinesses[pick % 4] ?? 'unknown'
        const metadataDirectory = pick % 16 === 0 ? idOf(77) : directoryOfBroker(nodeId)
        const directories = [cluster.directory(nodeId, { cleanliness })]
        const registration = cluster.registration(nodeId, { directories, metadataDirectory })
        return { type: 'registerBroker', ...registration, isPreviousSilent: pick % 8 !== 0 }
      }
      case 'fence':
        return { type: 'fenceBroker', ...key, cause: 'test' }
      case 'unfence':
        return { type: 'unfenceBroker', ...key }
      case 'stop':
        return { type: 'controlledShutdown', ...key }
      case 'fail':
        return pick % 4 === 0
          ? { type: 'reportOfflineDirectories', ...key, directories: [directoryOfBroker(nodeId)] }
          : undefined
      case 'unregister':
        return pick % 4 === 0 ? { type: 'unregisterBroker', nodeId } : undefined
      case 'create':
        return this.#create(topic, pick)
      case 'grow':
        return {
          type: 'createPartitions',
          name: topic,
          count: 2,
          assignments: null,
          validateOnly: false,
        }
      case 'minIsr':
        return setting('min.insync.replicas', String(1 + (pick % 3)))
      case 'flush':
        return setting('naru.flush', pick % 2 === 0 ? 'ack' : 'async')
      case 'unclean':
        return setting('unclean.leader.election.enable', String(pick % 2 === 0))
      case 'delete':
        return pick % 4 === 0 ? { type: 'deleteTopic', name: topic, topicId: idOf(0) } : undefined
      case 'confirm':
        return { type: 'confirmDeletion', nodeId, deletions: this.#pending() }
      case 'propose':
        return this.#propose(partition, pick)
      case 'repeat':
        return this.#sent[pick % Math.max(1, this.#sent.length)]
      case 'prefer':
        return {
          type: 'electLeaders',
          kind: 'preferred',
          isCommanded: true,
          partitions: [{ ...at, candidates: [] }],
        }
      case 'rescue': {
        const candidates = brokers.map((id) => ({
          ...cluster.key(id),
          lastEpoch: pick % 3,
          logEndOffset: BigInt((pick * id) % 7),
        }))
        const isCommanded = pick % 2 === 0
        return {
          type: 'electLeaders',
          kind: 'unclean',
          isCommanded,
          partitions: [{ ...at, candidates }],
        }
      }
      case 'move':
        return {
          type: 'reassignPartitions',
          allowsOtherFactor: true,
          partitions: [{ ...at, replicas: subset(brokers, pick) }],
        }
      case 'cancel':
        return image.topics.has(topic)
          ? {
              type: 'reassignPartitions',
              allowsOtherFactor: true,
              partitions: [{ ...at, replicas: null }],
            }
          : undefined
    }
  }

  #partition(topic: string, pick: number): PartitionImage | undefined {
    const partitions = this.cluster.image.topics.get(topic)?.partitions ?? []
    return partitions[pick % Math.max(1, partitions.length)]
  }

  #create(name: string, pick: number): Command {
    const replicationFactor = 1 + (pick % 3)
    const topicId = idOf(100 + ++this.#topics)
    const configs = [{ name: 'naru.flush', value: pick % 2 === 0 ? 'ack' : 'async' }]
    const partitions = 1 + (pick & 1)
    const topic = { name, partitions, replicationFactor, assignments: [], configs }
    return { type: 'createTopic', topic, topicId, validateOnly: false }
  }

  #propose(partition: PartitionImage | undefined, pick: number): Command | undefined {
    if (partition === undefined || partition.leader === -1) return undefined
    const { leader, leaderEpoch, partitionEpoch, topicId, isRecovering } = partition
    const members = [...new Set([leader, ...subset(partition.replicas, pick)])]
    const isr = members.map((nodeId) => this.cluster.key(nodeId))
    const state = { leaderEpoch, partitionEpoch, isr, isRecovering: isRecovering && pick % 2 === 0 }
    const flags = { hasFlushed: pick % 3 === 0, bump: pick % 5 === 0 }
    const proposed = { topicId, partition: partition.partition, ...state, ...flags }
    const command = {
      type: 'alterPartition',
      ...this.cluster.key(leader),
      partitions: [proposed],
    } as const
    this.#sent.push(command)
    return command
  }

  #pending() {
    const { deletedTopics, topics: live } = this.cluster.image
    const deleted = [...deletedTopics.keys()].map((topicId) => ({ topicId, partition: -1 }))
    const removed = [...live.values()].flatMap(({ topicId, partitions }) =>
      partitions.map(({ partition }) => ({ topicId, partition })),
    )
    return [...deleted, ...removed]
  }
}

function subset(of: readonly number[], pick: number): number[] {
  const chosen = of.filter((_, at) => (pick >> at) & 1)
  return pick % 2 === 0 ? chosen : chosen.reverse()
}

function* partitionsOf(image: MetadataImage): Generator<PartitionImage> {
  for (const { partitions } of image.topics.values()) yield* partitions
}

const nameOf = ({ topicId, partition }: PartitionImage) => `${topicId}-${partition}`

/** The leader is in sync and takes part; who is eligible is not in sync; nobody fenced is in sync. */
function checkState(image: MetadataImage): void {
  for (const partition of partitionsOf(image)) {
    const { leader, isr, elr, lastKnownElr, replicas, minIsr } = partition
    const { addingReplicas, removingReplicas, directories, removedReplicas } = partition
    if (leader !== -1) expect(isr).toContain(leader)
    for (const id of isr) expect(image.brokers.get(id)?.isFenced).toBe(false)
    for (const id of [...isr, ...elr, ...lastKnownElr, ...addingReplicas, ...removingReplicas]) {
      expect(replicas).toContain(id)
    }
    expect(isr.filter((id) => elr.includes(id))).toEqual([])
    if (isr.length >= minIsr) expect(elr).toEqual([])
    expect(new Set(replicas).size).toBe(replicas.length)
    expect(directories).toHaveLength(replicas.length)
    expect(removedReplicas.filter((id) => replicas.includes(id))).toEqual([])
    expect(minIsr).toBeGreaterThan(0)
  }
}

/** Epochs only rise, and an epoch of a partition has one leader ever. */
class Epochs {
  readonly #leaders = new Map<string, number>()
  readonly #seen = new Set<bigint>()

  check(before: MetadataImage, after: MetadataImage): void {
    for (const [nodeId, broker] of after.brokers) {
      const epoch = broker.brokerEpoch
      const old = before.brokers.get(nodeId)?.brokerEpoch
      if (epoch === old) continue
      expect(this.#seen.has(epoch)).toBe(false)
      this.#seen.add(epoch)
      if (old !== undefined) expect(epoch).toBeGreaterThan(old)
    }
    for (const now of partitionsOf(after)) {
      const key = `${nameOf(now)}@${now.leaderEpoch}`
      expect(this.#leaders.get(key) ?? now.leader).toBe(now.leader)
      this.#leaders.set(key, now.leader)
      const old = before.topicsById.get(now.topicId)?.partitions[now.partition]
      if (old === undefined) continue
      const { removedReplicas: a, ...oldState } = old
      const { removedReplicas: b, ...state } = now
      if (now.partitionEpoch === old.partitionEpoch) expect(state).toEqual(oldState)
      expect(now.partitionEpoch).toBeGreaterThanOrEqual(old.partitionEpoch)
      expect(now.leaderEpoch).toBeGreaterThanOrEqual(old.leaderEpoch)
    }
  }
}

/** Only complete replicas lead, unless an election says otherwise and was allowed to; reassignments keep enough in sync. */
function checkChanges(
  before: MetadataImage,
  cluster: TestCluster,
  ghosts: Map<string, Ghost>,
): void {
  for (const now of partitionsOf(cluster.image)) {
    const old = before.topicsById.get(now.topicId)?.partitions[now.partition]
    if (old === undefined) continue
    const unclean = cluster.records.find(
      (record) =>
        record.type === 'uncleanElection' &&
        record.topicId === now.topicId &&
        record.partition === now.partition,
    )
    const joined = now.isr.filter((id) => !old.isr.includes(id))
    if (now.leader !== old.leader && now.leader !== -1 && unclean === undefined) {
      const isProposed = cluster.records[0]?.type === 'change' && joined.includes(now.leader)
      const wasComplete = [...old.isr, ...old.elr].includes(now.leader)
      if (!isProposed) expect(wasComplete).toBe(true)
    }
    if (unclean?.type === 'uncleanElection' && !unclean.isCommanded) {
      const topic = cluster.image.topicsById.get(now.topicId)?.name
      const own = before.configs.get(`2:${topic}`)?.get('unclean.leader.election.enable')
      expect(own).toBe('true')
    }
    const left = old.replicas.filter(
      (id) => !now.replicas.includes(id) && cluster.image.brokers.has(id),
    )
    expect(now.removedReplicas).toEqual(expect.arrayContaining(left))
    if (left.length > 0 && old.isr.length >= old.minIsr) {
      expect(now.isr.length).toBeGreaterThanOrEqual(now.minIsr)
    }
    ghosts.get(nameOf(now))?.elected(unclean !== undefined ? now.leader : undefined)
  }
}

/** What the replicas of a partition really hold, for the worst case: something is committed whenever it can be. */
class Ghost {
  /** Hold everything that was ever committed. */
  readonly complete = new Set<number>()
  /** Hold some of it in memory only. */
  readonly dirty = new Set<number>()

  elected(uncleanLeader: number | undefined): void {
    if (uncleanLeader !== undefined) this.complete.add(uncleanLeader)
  }

  follow(old: PartitionImage | undefined, now: PartitionImage): void {
    // Who joins holds it all, on disk where that is the rule.
    for (const id of now.isr) {
      if (old?.isr.includes(id)) continue
      if (now.isFlushed && !old?.elr.includes(id)) this.dirty.delete(id)
      this.complete.add(id)
    }
    if (now.isFlushed && old?.isFlushed === false) for (const id of now.isr) this.dirty.delete(id)
    if (now.isr.length < now.minIsr) return
    for (const id of this.complete) if (!now.isr.includes(id)) this.complete.delete(id)
    if (!now.isFlushed) for (const id of now.isr) this.dirty.add(id)
  }

  started(nodeId: number, cleanliness: string): void {
    const mayLack = cleanliness === 'os-crash' && this.dirty.has(nodeId)
    if (cleanliness === 'unknown' || mayLack) this.complete.delete(nodeId)
    this.dirty.delete(nodeId)
  }

  check({ isr, elr }: PartitionImage): void {
    for (const id of [...isr, ...elr]) expect(this.complete.has(id)).toBe(true)
  }
}

/** Holds an image to all of it, batch after batch. */
class Promises {
  readonly #cluster: TestCluster
  readonly #epochs = new Epochs()
  readonly #ghosts = new Map<string, Ghost>()
  #before: MetadataImage

  constructor(cluster: TestCluster) {
    this.#cluster = cluster
    this.#before = cloneImage(cluster.image)
  }

  /** A process has taken the place of the one before, if there was one. */
  started(nodeId: number, cleanliness: string): void {
    const isKnown = this.#before.brokers.has(nodeId)
    for (const ghost of this.#ghosts.values()) {
      ghost.started(nodeId, isKnown ? cleanliness : 'unknown')
    }
  }

  check(): void {
    const cluster = this.#cluster
    const before = this.#before
    checkState(cluster.image)
    this.#epochs.check(before, cluster.image)
    checkChanges(before, cluster, this.#ghosts)
    for (const now of partitionsOf(cluster.image)) {
      const ghost = this.#ghosts.get(nameOf(now)) ?? new Ghost()
      this.#ghosts.set(nameOf(now), ghost)
      const old = before.topicsById.get(now.topicId)?.partitions[now.partition]
      ghost.follow(old, now)
      ghost.check(now)
    }
    this.#before = cloneImage(cluster.image)
  }
}

it('keeps the promises about partitions and brokers in every order of commands', {
  timeout: 30_000,
}, () => {
  let accepted = 0
  let parts = 0
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 1, 2, 100), (walk, changesPerBatch) => {
      const world = new Walk()
      const { cluster } = world
      cluster.settings = { ...cluster.settings, changesPerBatch }
      const promises = new Promises(cluster)
      cluster.onPart = () => {
        parts++
        promises.check()
      }
      for (const step of walk) {
        const command = world.commandOf(step)
        if (command === undefined) continue
        const response = cluster.run(command)
        if (!isRefusal(response)) accepted++
        if (command.type === 'registerBroker' && !isRefusal(response)) {
          promises.started(command.nodeId, command.directories[0]?.cleanliness ?? 'unknown')
        }
        promises.check()
      }
      const restored = emptyImage()
      restoreImage(
        restored,
        decodeMetadataRecords(encodeMetadataRecords(imageRecords(cluster.image))),
      )
      expect(restored).toEqual(cluster.image)
    }),
    { numRuns: 200 },
  )
  expect(accepted).toBeGreaterThan(1_000)
  expect(parts).toBeGreaterThan(5)
})

it('what is replayed on a clone never shows in the original', () => {
  fc.assert(
    fc.property(steps, fc.nat(79), (walk, at) => {
      const world = new Walk()
      const { cluster } = world
      let original: MetadataImage | undefined
      let bytes: Buffer | undefined
      for (const [index, step] of walk.entries()) {
        if (index === at) {
          original = cluster.image
          bytes = encodeMetadataRecords(imageRecords(original))
          cluster.image = cloneImage(original)
          expect(cluster.image).toEqual(original)
        }
        const command = world.commandOf(step)
        if (command !== undefined) cluster.run(command)
      }
      if (original === undefined || bytes === undefined) return
      expect(encodeMetadataRecords(imageRecords(original)).equals(bytes)).toBe(true)
      replay(cluster.image, { type: 'cluster', clusterId: 'other' })
      expect(original.clusterId).toBe('c')
    }),
    { numRuns: 100 },
  )
})
