/** Whether a cluster is as it should be when nothing fails: invariants 50 and 51. */
import type { PartitionImage } from '@naru/metadata'
import type { PartitionName } from './leader-guess.ts'
import type { ReplicationLoad } from './replication-load.ts'
import type { ReplicationWorld } from './replication-world.ts'

export function isTogether(world: ReplicationWorld, load: ReplicationLoad): boolean {
  return problemsOf(world, load).next().done === true
}

export function describeCluster(world: ReplicationWorld, load: ReplicationLoad): string {
  return [...problemsOf(world, load)].join('; ')
}

function* problemsOf(world: ReplicationWorld, load: ReplicationLoad): Generator<string> {
  yield* problemsOfNodes(world)
  const { image } = world.truth
  for (const { partitions } of image.topics.values()) {
    for (const state of partitions) yield* problemsOfPartition(world, state)
  }
  const isServed = ({ topicId, partition }: PartitionName) => {
    const state = image.topicsById.get(topicId)?.partitions[partition]
    return state !== undefined && !isOffline(world, state)
  }
  for (const { options, isIdle, name } of load.producers) {
    if (!isIdle && isServed(name)) yield `producer ${options.id} waits`
  }
  for (const { id, name, position } of load.consumers) {
    const { endOffset } = world.promises.committedOf(name.topicId, name.partition)
    if (position !== endOffset && isServed(name))
      yield `consumer ${id} is at ${position} of ${endOffset}`
  }
}

function* problemsOfNodes({ leader, nodes, truth }: ReplicationWorld): Generator<string> {
  if (leader === undefined) yield 'no controller'
  for (const { id, life, brokerEpoch } of nodes) {
    const broker = truth.image.brokers.get(id)
    if (life?.runtime === undefined) yield `node ${id} does not run`
    else if (life.isStopping) yield `node ${id} stops`
    else if (broker?.isFenced !== false) yield `broker ${id} is fenced`
    else if (broker.isShuttingDown) yield `broker ${id} is about to stop`
    else if (broker.brokerEpoch !== brokerEpoch) yield `broker ${id} has another epoch`
    else if (life.runtime.lastIndex !== truth.lastIndex) {
      yield `node ${id} is at ${life.runtime.lastIndex} of ${truth.lastIndex}`
    }
  }
}

function* problemsOfPartition(
  world: ReplicationWorld,
  { topicId, partition, ...state }: PartitionImage,
): Generator<string> {
  const { leader, isr, replicas, addingReplicas } = state
  const name = `${topicId}-${partition}`
  const where = `${name} ${JSON.stringify(state)}`
  if (isOffline(world, state)) return
  if (leader < 0) yield `no leader: ${where}`
  if (isr.length !== replicas.length) yield `not all in sync: ${where}`
  if (addingReplicas.length > 0) yield `is being moved: ${where}`
  const core = world.brokerOf(leader)?.partitions?.leadingReplica(topicId, partition)?.core
  if (core === undefined) yield `does not lead: ${where}`
  else if (core.highWatermark !== core.logEndOffset) {
    yield `${core.highWatermark} of ${core.logEndOffset} are committed: ${where}`
  }
  for (const [nodeId, { shadow, log }] of world.promises.replicasOf(topicId, partition)) {
    if (core === undefined || !replicas.includes(nodeId)) continue
    if (shadow.endOffset !== core.logEndOffset) {
      yield `${nodeId} is at ${shadow.endOffset} of ${core.logEndOffset}: ${where}`
    }
    // One that has led may have deleted more.
    if (log !== undefined && log.logStartOffset < core.logStartOffset) {
      yield `${nodeId} begins at ${log.logStartOffset}, not ${core.logStartOffset}: ${where}`
    }
  }
}

/** Nobody is left of whom the controller knows that it is complete: that takes an operator. */
export function isOffline(
  { doubted, powerLosses, diskFailures }: ReplicationWorld,
  { isr, elr, isFlushed }: Pick<PartitionImage, 'isr' | 'elr' | 'isFlushed'>,
): boolean {
  // A replica may be made after the power went, and before its broker is back: then it is doubted with what was there. So is what
  // was only written when a write has failed.
  const isDoubted = doubted > 0 || (powerLosses + diskFailures > 0 && !isFlushed)
  return isDoubted && isr.length === 0 && elr.length === 0
}
