/** Holds every replica of every partition to what is committed: invariants 17, 18, 22 to 29, 31 and 33 of the protocol. */
import type { Log } from '@naru/log'
import type { MetadataImage, PartitionImage } from '@naru/metadata'
import type { PartitionLeader } from '@naru/partition'
import type { FollowingReplica, LeadingReplica } from '@naru/replication'
import type { PartitionHost } from '@naru/services'
import { mustHold } from '../raft/raft-history.ts'
import { CommittedLog } from './committed-log.ts'
import type { DataDisk } from './data-disk.ts'
import { LogShadow } from './log-shadow.ts'
import { ReplicaRecord } from './replica-record.ts'
import type { SimulatedBroker } from './simulated-broker.ts'

interface ReplicaPlace {
  readonly nodeId: number
  readonly topicId: string
  /** Of the partition's directory. */
  readonly name: string
  readonly data: DataDisk
}

interface Watched {
  /** Of its process when it was checked. */
  turns: number
  /** As they were seen last: one that is over, or whose topic is deleted, may have gone on until then. */
  readonly leading: Map<PartitionHost, LeadingReplica>
}

export interface PromisesWorld {
  readonly truth: { readonly image: MetadataImage; readonly lastIndex: bigint }
  readonly brokers: readonly SimulatedBroker[]
  brokerOf(nodeId: number): SimulatedBroker | undefined
}

export class ReplicaPromises {
  readonly #world: PromisesWorld
  /** By topic id and partition. */
  readonly #committed = new Map<string, CommittedLog>()
  /** By node, topic id and partition. */
  readonly #records = new Map<string, ReplicaRecord>()
  readonly #byLog = new WeakMap<Log, ReplicaRecord>()
  readonly #disks = new Map<ReplicaRecord, DataDisk>()
  /** High watermarks as they were checked last. */
  readonly #checkedLeaders = new WeakMap<PartitionLeader, bigint>()
  readonly #watched = new Map<SimulatedBroker, Watched>()
  /** By node, the processes that it has had: what one of them asked for may be committed when it is long gone. */
  readonly #incarnations = new Map<number, string[]>()
  readonly #checkedFollowers = new WeakMap<FollowingReplica, bigint>()
  readonly #accepted = new WeakMap<FollowingReplica, number>()
  /** What logs of failed directories had confirmed. */
  readonly #failed = new WeakMap<Log, bigint>()
  #checkedIndex = 0n

  constructor(world: PromisesWorld) {
    this.#world = world
  }

  committedOf(topicId: string, partition: number): CommittedLog {
    const key = `${topicId}-${partition}`
    const known = this.#committed.get(key)
    if (known !== undefined) return known
    const made = new CommittedLog(key)
    this.#committed.set(key, made)
    return made
  }

  /** The broker has had it on another disk since, and has it there by the metadata: this one was offline when it was to be removed. */
  isLeftOver({ nodeId, topicId, name, data }: ReplicaPlace): boolean {
    const partition = Number(name.slice(name.lastIndexOf('-') + 1))
    const known = this.#records.get(keyOf(nodeId, topicId, partition))
    if (known === undefined || this.#disks.get(known) === data) return false
    const state = this.#world.truth.image.topicsById.get(topicId)?.partitions[partition]
    return state?.directories[state.replicas.indexOf(nodeId)] !== data.id
  }

  recordOf({ nodeId, topicId, name, data }: ReplicaPlace, shadow: LogShadow): ReplicaRecord {
    const key = keyOf(nodeId, topicId, Number(name.slice(name.lastIndexOf('-') + 1)))
    let record = this.#records.get(key)
    if (record === undefined) {
      record = new ReplicaRecord(`${name} (${topicId}) of ${nodeId}`, shadow)
      this.#records.set(key, record)
    }
    this.#disks.set(record, data)
    return record
  }

  began(nodeId: number, incarnationId: string): void {
    this.#incarnationsOf(nodeId).push(incarnationId)
  }

  opened(log: Log, record: ReplicaRecord): void {
    this.#byLog.set(log, record)
  }

  closed(nodeId: number, how: { isPowerLost: boolean }): void {
    for (const [key, record] of this.#records) if (key.startsWith(`${nodeId}/`)) record.closed(how)
  }

  /** The power went: of partitions that the metadata has for unflushed nothing is promised before the broker has registered anew. */
  unflushed(nodeId: number): void {
    const { length } = this.#incarnationsOf(nodeId)
    for (const { topicId, partitions } of this.#world.truth.image.topics.values()) {
      for (const { partition, isFlushed } of partitions) {
        const record = this.#records.get(keyOf(nodeId, topicId, partition))
        if (!isFlushed) record?.lost(length, { isToldLater: false })
      }
    }
  }

  lost(nodeId: number, data: DataDisk): void {
    const { length } = this.#incarnationsOf(nodeId)
    for (const [key, record] of this.#records) {
      const isOn = key.startsWith(`${nodeId}/`) && this.#disks.get(record) === data
      if (isOn) record.lost(length, { isToldLater: false })
    }
  }

  /** One partition's directory is gone. */
  lostLog(nodeId: number, { data, name }: { data: DataDisk; name: string }): void {
    const { length } = this.#incarnationsOf(nodeId)
    for (const [key, record] of this.#records) {
      const isOn = key.startsWith(`${nodeId}/`) && this.#disks.get(record) === data
      if (isOn && record.name.startsWith(`${name} (`)) {
        record.lost(length, { isToldLater: true })
      }
    }
  }

  /** Invariant 28. */
  truncating({ life }: SimulatedBroker, log: Log, endOffset: bigint): void {
    const record = this.#byLog.get(log)
    if (record === undefined) return
    record.cutting(endOffset)
    const { topicId, partition } = this.#placeOf(record)
    const { id } = life.node
    const state = this.#world.truth.image.topicsById.get(topicId)?.partitions[partition]
    const counts = state !== undefined && [...state.isr, ...state.elr].includes(id)
    if (!counts || this.#isLost(id, record)) return
    const { endOffset: committed } = this.committedOf(topicId, partition)
    mustHold(
      endOffset >= committed || endOffset >= record.shadow.endOffset,
      'who is complete cuts nothing that is committed',
      () => `${record.name} to ${endOffset}, committed ${committed}`,
    )
  }

  /** Rule D16: who may lead does not begin anew. Until that is done a crash leaves nothing. */
  restarting(broker: SimulatedBroker, log: Log, startOffset: bigint): void {
    const record = this.#byLog.get(log)
    if (record === undefined) return
    const { topicId, partition } = this.#placeOf(record)
    this.committedOf(topicId, partition).begins(record.name, startOffset)
    this.truncating(broker, log, 0n)
  }

  /** Nothing is left of the log: what it had may have been another than what was committed there, and deleted. */
  restarted(log: Log): void {
    const record = this.#byLog.get(log)
    if (record === undefined) return
    const { topicId, partition } = this.#placeOf(record)
    const { logEndOffset } = log
    const chain = this.committedOf(topicId, partition).chainAt(logEndOffset)
    record.restarted(new LogShadow(log.path, logEndOffset, chain))
  }

  /** A client was told that everything below is deleted. */
  deleted(log: Log, logStartOffset: bigint): void {
    this.#byLog.get(log)?.deleted(logStartOffset)
  }

  /** A replica that was moved away, or a topic that is gone: whatever is found in its place promises nothing. */
  deleting(log: Log): void {
    this.#byLog.get(log)?.deleting()
  }

  truncated(log: Log, endOffset: bigint): void {
    this.#byLog.get(log)?.cut(endOffset)
  }

  /** After every event: the brokers that had a turn. */
  check(): void {
    for (const broker of this.#world.brokers) this.#watch(broker)
    for (const [broker, watched] of this.#watched) {
      const { turns } = broker.life.process
      if (watched.turns !== turns) this.#checkBroker(broker, watched)
      watched.turns = turns
      if (broker.life.process.state === 'dead') this.#watched.delete(broker)
    }
    const { lastIndex, image } = this.#world.truth
    if (lastIndex === this.#checkedIndex) return
    this.#checkedIndex = lastIndex
    for (const { partitions } of image.topics.values()) {
      for (const state of partitions) this.#checkState(state)
    }
  }

  /** Every replica of the partition that a process has. */
  *replicasOf(topicId: string, partition: number): Generator<readonly [number, ReplicaRecord]> {
    for (const [key, record] of this.#records) {
      if (key.endsWith(`/${topicId}-${partition}`)) yield [Number(key.split('/')[0]), record]
    }
  }

  #watch(broker: SimulatedBroker): void {
    if (this.#watched.has(broker)) return
    this.#watched.set(broker, { turns: -1, leading: new Map() })
  }

  #checkBroker(broker: SimulatedBroker, { leading }: Watched): void {
    for (const [host, known] of leading) {
      if (host.leading !== known) leading.delete(host)
      this.#checkLeading(broker, host, known)
    }
    const { partitions, life } = broker
    if (partitions === undefined || life.process.state === 'dead') return
    for (const host of partitions.all()) {
      if (!host.isOnline) this.#checkFailed(host.log)
      this.#checkStart(broker, host)
      if (host.leading === undefined) continue
      leading.set(host, host.leading)
      this.#checkLeading(broker, host, host.leading)
    }
    for (const replica of broker.followers) this.#checkFollower(broker, replica)
  }

  #checkStart({ life }: SimulatedBroker, { topicId, partition, log }: PartitionHost): void {
    if (log.logStartOffset === 0n) return
    this.committedOf(topicId, partition).begins(`node ${life.node.id}`, log.logStartOffset)
  }

  #checkLeading(broker: SimulatedBroker, host: PartitionHost, leading: LeadingReplica): void {
    const { core, log } = leading
    const checked = this.#checkedLeaders.get(core) ?? 0n
    const { highWatermark } = core
    if (highWatermark === checked) return
    const who = `leader ${broker.life.node.id} of epoch ${core.leaderEpoch}`
    mustHold(
      highWatermark > checked,
      'a high watermark never falls in an epoch',
      () => `${who} of ${host.topic}-${host.partition}: ${checked}, ${highWatermark}`,
    )
    this.#checkedLeaders.set(core, highWatermark)
    // It may lie within a batch, and says of nothing that is there that it is committed.
    if (highWatermark <= log.logStartOffset) return
    const committed = this.committedOf(host.topicId, host.partition)
    const isNew = highWatermark > committed.endOffset
    committed.committed(who, this.#shadowOf(log), highWatermark)
    if (isNew) this.#checkMembers(who, host, leading)
  }

  /** Invariant 24: all who may be in sync have it, and have it as it is. */
  #checkMembers(who: string, { topicId, partition }: PartitionHost, { core, log }: LeadingReplica) {
    const { highWatermark } = core
    const expected = this.#shadowOf(log).chainAt(highWatermark)
    const state = this.#world.truth.image.topicsById.get(topicId)?.partitions[partition]
    const isOutOfDate = state !== undefined && state.leaderEpoch > core.leaderEpoch
    for (const id of core.inSync.maximal) {
      // It had it, and was moved away: a leader that has not heard of that counts what it said before. Nobody elects it any more.
      if (isOutOfDate && ![...state.isr, ...state.elr].includes(id)) continue
      const record = this.#records.get(keyOf(id, topicId, partition))
      if (record !== undefined && this.#isLost(id, record)) continue
      mustHold(
        record !== undefined &&
          record.confirmedOffset >= highWatermark &&
          record.shadow.chainAt(highWatermark) === expected,
        'what is committed is in all in-sync replicas',
        () =>
          `${who} of ${topicId}-${partition}: ${highWatermark}, but ${id} has confirmed ${record?.confirmedOffset} of ${record?.shadow.endOffset}`,
      )
    }
  }

  #checkFollower({ life, hasFailed }: SimulatedBroker, replica: FollowingReplica): void {
    const isEnding = hasFailed || life.isStopping
    const { core, topicId, partition, id } = replica
    const { highWatermark } = core
    const knowsMore = highWatermark > (this.#checkedFollowers.get(replica) ?? 0n)
    const isNew = id !== undefined && core.isAccepted && this.#accepted.get(replica) !== id
    // A log that is to begin anew is behind what its follower knows of, for good where the disk has failed or the process stops.
    if (replica.isOver || replica.changing !== undefined || (!knowsMore && !isNew)) return
    const record = this.#records.get(keyOf(life.node.id, topicId, partition))
    if (record === undefined || (highWatermark > replica.logEndOffset && isEnding)) return
    const who = `follower ${life.node.id} in epoch ${core.leaderEpoch}`
    if (knowsMore) {
      this.#checkedFollowers.set(replica, highWatermark)
      if (highWatermark > replica.logStartOffset)
        this.committedOf(topicId, partition).known(who, record.shadow, highWatermark)
    }
    if (!isNew) return
    this.#accepted.set(replica, id)
    this.#checkAccepted(who, replica, record)
  }

  /** Invariant 27: whom a leader feeds has a prefix of its log. */
  #checkAccepted(who: string, { core, topicId, partition }: FollowingReplica, own: ReplicaRecord) {
    const { leader, leaderEpoch } = core
    const leading = this.#world.brokerOf(leader)?.partitions?.leadingReplica(topicId, partition)
    if (leading?.core.leaderEpoch !== leaderEpoch) return
    const { endOffset } = own.shadow
    const shadow = this.#shadowOf(leading.log)
    // The leader may have let all of it go since, which was committed.
    const isGone = endOffset < shadow.startOffset
    const whole = isGone ? this.committedOf(topicId, partition) : shadow
    mustHold(
      whole.chainAt(endOffset) === own.shadow.chainAt(endOffset),
      'a follower has a prefix of its leader',
      () => `${who} of ${topicId}-${partition}, which ends at ${endOffset}`,
    )
  }

  /** After a change of the metadata. */
  #checkState(state: PartitionImage): void {
    const { topicId, partition, isr, elr, leader } = state
    const committed = this.committedOf(topicId, partition)
    const where = () => `${topicId}-${partition} ${JSON.stringify({ leader, isr, elr })}`
    // Invariant 17: whoever may be elected is complete, whether its process runs or not.
    for (const id of [...isr, ...elr]) {
      const record = this.#records.get(keyOf(id, topicId, partition))
      if (committed.endOffset === 0n || (record !== undefined && this.#isLost(id, record))) continue
      mustHold(
        record !== undefined &&
          record.confirmedOffset >= committed.endOffset &&
          committed.isIn(record.shadow),
        'who may lead is complete',
        () =>
          `${where()}: ${id} has ${record?.confirmedOffset} of ${record?.shadow.endOffset}, committed ${committed.endOffset}`,
      )
    }
    this.#checkMaximal(state, where)
  }

  /** Invariant 18: a leader that is not out of date waits for all who may be elected. */
  #checkMaximal({ topicId, partition, ...state }: PartitionImage, where: () => string): void {
    const { leader, leaderEpoch, partitionEpoch, isr, elr, minIsr } = state
    const leading = this.#world.brokerOf(leader)?.partitions?.leadingReplica(topicId, partition)
    if (leading?.core.leaderEpoch !== leaderEpoch || isr.length < minIsr) return
    const { inSync } = leading.core
    const isCovered = [...isr, ...elr].every((id) => inSync.maximal.includes(id))
    const isAhead = inSync.partitionEpoch > partitionEpoch
    mustHold(
      isCovered || isAhead || inSync.partitionEpoch < partitionEpoch,
      'a leader waits for all who may lead',
      () => `${where()}, the leader for ${inSync.maximal}`,
    )
  }

  /** Invariant 33: a directory that failed confirms nothing more. */
  #checkFailed(log: Log): void {
    const confirmed = this.#failed.get(log) ?? log.confirmedOffset
    this.#failed.set(log, confirmed)
    mustHold(
      log.confirmedOffset === confirmed,
      'nothing is confirmed after an error of the disk',
      () => `${log.path}: ${confirmed}, ${log.confirmedOffset}`,
    )
  }

  /** Some disk lost what it had, and the controller may not have heard of it. */
  get isAnythingLost(): boolean {
    for (const [key, record] of this.#records) {
      if (this.#isLost(Number(key.slice(0, key.indexOf('/'))), record)) return true
    }
    return false
  }

  /** The disk lost what it had, and the controller may not have heard of it. */
  #isLost(nodeId: number, record: ReplicaRecord): boolean {
    const { lostBefore } = record
    if (lostBefore === undefined) return false
    const known = this.#world.truth.image.brokers.get(nodeId)
    const processes = this.#incarnationsOf(nodeId)
    if (known === undefined || processes.indexOf(known.incarnationId) < lostBefore) return true
    if (record.isToldLater && known.isFenced) return true
    record.lostBefore = undefined
    return false
  }

  #incarnationsOf(nodeId: number): string[] {
    const known = this.#incarnations.get(nodeId) ?? []
    this.#incarnations.set(nodeId, known)
    return known
  }

  #shadowOf(log: Log): LogShadow {
    return (this.#byLog.get(log) as ReplicaRecord).shadow
  }

  #placeOf(record: ReplicaRecord): { topicId: string; partition: number } {
    const [key] = [...this.#records].find(([, each]) => each === record) as [string, ReplicaRecord]
    const place = key.slice(key.indexOf('/') + 1)
    const at = place.lastIndexOf('-')
    return { topicId: place.slice(0, at), partition: Number(place.slice(at + 1)) }
  }
}

function keyOf(nodeId: number, topicId: string, partition: number): string {
  return `${nodeId}/${topicId}-${partition}`
}
