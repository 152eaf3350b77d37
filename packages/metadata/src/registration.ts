/** How a process becomes the broker of its id, and what its last stop means for the replicas that it holds. */
import { kafkaErrors, type NodeId } from '@naru/model'
import { isCounted, isFirstVersion, partitionChanges } from './brokers.ts'
import type { DecideContext } from './controller-settings.ts'
import { type Decision, type Refusal, refusal } from './decision.ts'
import { initialLevels, naruVersion, type SupportedFeature } from './feature-levels.ts'
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts'
import type { Assignment, PartitionChange } from './partition-change.ts'
import type { MetadataRecord } from './records.ts'
import { directoryOf } from './replicas.ts'

/**
 * How the last process on a log directory ended. `process-crash`: the machine went on, so nothing written is lost; `os-crash`: what was
 * not flushed may be lost; `unknown`: the directory is new, foreign or damaged.
 */
export const cleanlinesses = ['clean', 'process-crash', 'os-crash', 'unknown'] as const
export type Cleanliness = (typeof cleanlinesses)[number]

export interface RegisteredDirectory {
  readonly directoryId: string
  readonly cleanliness: Cleanliness
  /** The registration under which it was last in use, as its own file says; -1 without one. */
  readonly brokerEpoch: bigint
}

export interface Registration {
  readonly nodeId: NodeId
  /** Drawn anew at each start of a process. */
  readonly incarnationId: string
  /** Names the disk with the metadata, which only one process at a time can hold. */
  readonly metadataDirectory: string
  /** The first registration names the cluster. */
  readonly clusterId: string
  readonly rack: string | null
  readonly endpoints: readonly { listener: string; host: string; port: number }[]
  readonly directories: readonly RegisteredDirectory[]
  readonly features: readonly SupportedFeature[]
  /** What the controller sees of the session of the process before: its stream is closed, or it missed a heartbeat. */
  readonly isPreviousSilent: boolean
}

/**
 * One batch: the old process is fenced, its replicas are judged by how it ended, the new one is registered and fenced. Of too many
 * partitions some go before: to leave the ISR, or to count as incomplete, is safe at any time.
 */
export function decideRegisterBroker(
  image: MetadataImage,
  request: Registration,
  context: DecideContext,
): Decision<{ brokerEpoch: bigint } | Refusal> {
  const { nodeId } = request
  const stored = image.brokers.get(nodeId)
  if (stored?.incarnationId === request.incarnationId) {
    return { records: [], response: { brokerEpoch: stored.brokerEpoch } }
  }
  const problem =
    refusedCluster(image, request) ?? refusedTwin(stored, request) ?? refusedLevels(image, request)
  if (problem !== undefined) return { records: [], response: problem }
  const brokerEpoch = context.index
  const { incarnationId, metadataDirectory, rack, endpoints, features } = request
  const directories = request.directories.map(({ directoryId }) => directoryId)
  const broker = { nodeId, brokerEpoch, incarnationId, rack, endpoints, directories, features }
  const fenced = { isFenced: true, isShuttingDown: false, offlineDirectories: [] }
  const changes = partitionChanges(
    image,
    { broker: { ...broker, metadataDirectory, ...fenced }, context },
    (partition) => changeAtReturn(partition, stored, request),
  )
  if (changes.isPart) return { ...changes, response: { brokerEpoch } }
  const records: MetadataRecord[] = [
    ...firstRecords(image, request),
    ...changes.records,
    { type: 'broker', ...broker, metadataDirectory },
  ]
  return { records, response: { brokerEpoch } }
}

function refusedCluster(image: MetadataImage, request: Registration): Refusal | undefined {
  if (image.clusterId === '' || request.clusterId === image.clusterId) return undefined
  const message = `Broker ${request.nodeId} belongs to cluster ${request.clusterId}, not ${image.clusterId}`
  return refusal(kafkaErrors.INCONSISTENT_CLUSTER_ID, message)
}

/** Two processes under one id: only when they cannot both be alive does the new one win. */
function refusedTwin(stored: BrokerImage | undefined, request: Registration): Refusal | undefined {
  if (stored === undefined || stored.isFenced) return undefined
  const isSameDisk = stored.metadataDirectory === request.metadataDirectory
  // The lock on the directory proves that the old process is gone, unless the disk was cloned.
  if (isSameDisk && request.isPreviousSilent) return undefined
  const message = `Another process is registered as broker ${request.nodeId} and still has its session`
  return refusal(kafkaErrors.DUPLICATE_BROKER_REGISTRATION, message)
}

function refusedLevels(image: MetadataImage, request: Registration): Refusal | undefined {
  for (const [name, level] of image.features) {
    if (level === 0) continue
    const known = request.features.find((feature) => feature.name === name)
    if (known !== undefined && level >= known.min && level <= known.max) continue
    const range = known === undefined ? 'does not know it' : `knows ${known.min} to ${known.max}`
    const message = `The cluster is at ${name} ${level}: broker ${request.nodeId} ${range}`
    return refusal(kafkaErrors.UNSUPPORTED_VERSION, message)
  }
  return undefined
}

/** A replica that comes back is out of sync until it has caught up, and eligible only if it cannot have lost anything. */
function changeAtReturn(
  partition: PartitionImage,
  stored: BrokerImage | undefined,
  request: Registration,
): PartitionChange | undefined {
  const { nodeId } = request
  const assignment = onPresentDisk(partition, stored, request)
  const moved = assignment === undefined ? undefined : { assignment }
  if (!isCounted(partition, nodeId)) return moved
  const targetIsr = partition.isr.filter((other) => other !== nodeId)
  const directoryId = directoryOf(partition, nodeId)
  const directory = request.directories.find((each) => each.directoryId === directoryId)
  const cleanliness = believed(directory, stored)
  if (cleanliness === 'unknown') {
    return { targetIsr, ...moved, unclean: { nodeId, lost: 'everything' } }
  }
  const mayLackEnd = cleanliness === 'os-crash' && !partition.isFlushed
  return mayLackEnd ? { targetIsr, unclean: { nodeId, lost: 'end' } } : { targetIsr }
}

/** A replica whose disk was replaced by another is filled anew on one that is there. One of several that is merely away keeps its own. */
function onPresentDisk(
  partition: PartitionImage,
  stored: BrokerImage | undefined,
  { nodeId, directories }: Registration,
): Assignment | undefined {
  const present = directories.map(({ directoryId }) => directoryId)
  const own = directoryOf(partition, nodeId)
  if (own === undefined || present.includes(own)) return undefined
  if (present.length === 0 || present.length < (stored?.directories.length ?? 0)) return undefined
  const chosen = present[partition.partition % present.length] as string
  return {
    ...partition,
    directories: partition.directories.map((each, at) =>
      partition.replicas[at] === nodeId ? chosen : each,
    ),
  }
}

/**
 * A directory's word counts only if it was in use under the registration that is stored: else it was away meanwhile, or set back to
 * an older state by a restored backup (KIP-966 compares the previous broker epoch for the same reason).
 */
function believed(
  directory: RegisteredDirectory | undefined,
  stored: BrokerImage | undefined,
): Cleanliness {
  if (directory === undefined || stored === undefined) return 'unknown'
  const { directoryId, brokerEpoch, cleanliness } = directory
  // Brokers kept no such file then; the one replica that there was is as good as it can be.
  if (isFirstVersion(stored)) return 'process-crash'
  if (brokerEpoch !== stored.brokerEpoch) return 'unknown'
  // After a failed write the page cache is not to be trusted, however the process ended.
  const isSuspect = stored.offlineDirectories.includes(directoryId)
  return isSuspect && cleanliness !== 'unknown' ? 'os-crash' : cleanliness
}

/** The first broker names the cluster; the first of this program on older metadata raises the level of its formats. */
function firstRecords(image: MetadataImage, request: Registration): MetadataRecord[] {
  const { clusterId, features } = request
  const isNew = image.clusterId === ''
  const levels = initialLevels
    .filter(({ name }) => isNew || (name === naruVersion && !image.features.has(name)))
    .map(({ name, level }) => {
      // An older program that asks a newer controller must be able to read what it gets.
      const known = features.find((feature) => feature.name === name)
      return { type: 'feature', name, level: Math.min(level, known?.max ?? level) } as const
    })
  return isNew ? [{ type: 'cluster', clusterId }, ...levels] : levels
}
