/** What holds of partitions and brokers after every committed change: invariants 14 to 16, 20 and 21 of the protocol. */
import {
  configKey,
  type MetadataImage,
  type MetadataRecord,
  type PartitionImage,
  resourceTypes,
  uncleanElectionKey,
} from '@naru/metadata'
import { mustHold } from '../raft/raft-history.ts'

export interface CommittedChange {
  readonly index: bigint
  readonly before: MetadataImage
  readonly after: MetadataImage
  readonly records: readonly MetadataRecord[]
}

export class PartitionPromises {
  /** By topic id, partition and leader epoch. */
  readonly #leaders = new Map<string, number>()
  readonly #brokerEpochs = new Set<bigint>()

  check(change: CommittedChange): void {
    const { before, after, records } = change
    for (const record of records) if (record.type === 'broker') this.#checkBroker(change, record)
    for (const topic of after.topics.values()) {
      const old = before.topicsById.get(topic.topicId)
      for (const partition of topic.partitions) {
        const previous = old?.partitions[partition.partition]
        checkMembers(change, partition)
        if (previous === partition) continue
        this.#checkLeader(partition)
        if (previous !== undefined) checkChange(change, previous, partition)
      }
    }
  }

  /** A broker epoch is given once, and those of a broker rise. */
  #checkBroker({ before }: CommittedChange, record: MetadataRecord & { type: 'broker' }): void {
    const { nodeId, brokerEpoch } = record
    const old = before.brokers.get(nodeId)?.brokerEpoch ?? -1n
    const isNew = !this.#brokerEpochs.has(brokerEpoch) && brokerEpoch > old
    mustHold(isNew, 'broker epochs rise', () => `${brokerEpoch} of ${nodeId}, which had ${old}`)
    this.#brokerEpochs.add(brokerEpoch)
  }

  #checkLeader(partition: PartitionImage): void {
    const { topicId, leader, leaderEpoch } = partition
    const key = `${topicId}-${partition.partition}@${leaderEpoch}`
    const known = this.#leaders.get(key) ?? leader
    mustHold(known === leader, 'one leader in an epoch', () => `${key}: ${known} and ${leader}`)
    this.#leaders.set(key, leader)
  }
}

function describe({ topicId, partition, ...state }: PartitionImage): string {
  const { leader, isr, elr, replicas, minIsr } = state
  return `${topicId}-${partition} ${JSON.stringify({ leader, isr, elr, replicas, minIsr })}`
}

/** Invariant 14. */
function checkMembers({ index, after }: CommittedChange, partition: PartitionImage): void {
  const { leader, isr, elr, lastKnownElr, replicas, minIsr } = partition
  const where = () => `at ${index}: ${describe(partition)}`
  mustHold(leader === -1 || isr.includes(leader), 'a leader is in sync', where)
  const isUnfenced = (id: number) => after.brokers.get(id)?.isFenced === false
  mustHold(isr.every(isUnfenced), 'nobody fenced is in sync', where)
  const members = [...isr, ...elr, ...lastKnownElr]
  mustHold(
    members.every((id) => replicas.includes(id)),
    'members are replicas',
    where,
  )
  mustHold(!elr.some((id) => isr.includes(id)), 'eligible is who is not in sync', where)
  mustHold(isr.length < minIsr || elr.length === 0, 'nobody is eligible beside enough', where)
}

function checkChange(
  { index, before, after, records }: CommittedChange,
  old: PartitionImage,
  now: PartitionImage,
): void {
  const where = () => `at ${index}: ${describe(old)} became ${describe(now)}`
  const { leaderEpoch, partitionEpoch } = now
  const isForward = leaderEpoch >= old.leaderEpoch && partitionEpoch >= old.partitionEpoch
  mustHold(isForward, 'epochs of partitions never go back', where)
  const isTold = leaderEpoch === old.leaderEpoch || partitionEpoch > old.partitionEpoch
  mustHold(isTold, 'another leader epoch is another partition epoch', where)
  checkElection({ index, before, after, records }, old, now)
  const isSmaller = old.replicas.some((id) => !now.replicas.includes(id))
  const wereEnough = old.isr.length >= old.minIsr
  const hasEnough = !isSmaller || !wereEnough || now.isr.length >= now.minIsr
  mustHold(hasEnough, 'a reassignment leaves enough in sync', where)
  const newcomers = old.addingReplicas.filter((id) => now.replicas.includes(id))
  const isArrived = (id: number) => now.addingReplicas.includes(id) || now.isr.includes(id)
  mustHold(newcomers.every(isArrived), 'a reassignment ends with its newcomers in sync', where)
}

/** Invariant 20: who was not complete leads only if that was allowed, and it is said. */
function checkElection(
  { index, before, after, records }: CommittedChange,
  old: PartitionImage,
  now: PartitionImage,
): void {
  const { topicId, partition, leader } = now
  const unclean = records.find(
    (record) =>
      record.type === 'uncleanElection' &&
      record.topicId === topicId &&
      record.partition === partition,
  )
  const where = () => `at ${index}: ${describe(old)} became ${describe(now)}`
  if (unclean === undefined) {
    // A leader's own proposal lets others join; a completed reassignment may then hand over to them.
    const cause = records[0]?.type === 'change' ? records[0].cause : ''
    const wasComplete = [...old.isr, ...old.elr].includes(leader) || cause === 'alterPartition'
    mustHold(leader === -1 || leader === old.leader || wasComplete, 'a clean election', where)
  } else if (unclean.type === 'uncleanElection' && !unclean.isCommanded) {
    const name = after.topicsById.get(topicId)?.name
    const settingOf = (type: number, resource: string) =>
      before.configs.get(configKey(type, resource))?.get(uncleanElectionKey)
    const { topic, broker } = resourceTypes
    const setting = settingOf(topic, name ?? '') ?? settingOf(broker, '')
    mustHold(setting === 'true', 'an unclean election is allowed', where)
  }
}
