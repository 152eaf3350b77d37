/** Why a partition is as it is, in words: out of the metadata, so that any broker says the same. */
import type { MetadataImage, PartitionImage } from '@naru/metadata'
import type { NodeId } from '@naru/model'
import type { PartitionPast } from './partition-history.ts'
import { explainReplica, type ReplicaExplanation } from './replica-explanation.ts'

export interface PartitionExplanation {
  readonly topic: string
  readonly partition: PartitionImage
  readonly replicas: readonly ReplicaExplanation[]
  readonly past: PartitionPast
  /** Who leads and why, who is in sync, what is under way, what happened last: a sentence each. */
  readonly sentences: readonly string[]
}

export function explainPartition(
  image: MetadataImage,
  found: {
    readonly topic: string
    readonly partition: PartitionImage
    /** By the setting of the topic, or by what holds for all. */
    readonly allowsUnclean: boolean
  },
  past: PartitionPast,
): PartitionExplanation {
  const { topic, partition, allowsUnclean } = found
  const replicas = partition.replicas.map((id) => explainReplica(image, partition, id))
  const sentences = [
    ...(partition.leader === -1
      ? [nobodyLeads(partition), uncleanOutlook(partition, allowsUnclean)]
      : [whoLeads(partition, replicas)]),
    whoIsInSync(partition),
    ...eligible(partition),
    ...underWay(partition),
    ...lastElection(past),
    ...lastIsrChange(past),
  ]
  return { topic, partition, replicas, past, sentences }
}

function whoLeads(
  { leader, replicas }: PartitionImage,
  explained: readonly ReplicaExplanation[],
): string {
  const [preferred] = explained
  if (preferred === undefined || preferred.nodeId === leader) {
    return `Broker ${leader} leads: it is the first of the replicas ${listed(replicas)}, which is the preferred leader.`
  }
  const { nodeId, isAvailable, state, reason } = preferred
  const instead = `Broker ${leader} leads, and not the preferred leader ${nodeId}`
  return isAvailable && state === 'inSync'
    ? `${instead}, which could: an election of the preferred leader would give it back.`
    : `${instead}, which is ${reason}.`
}

function nobodyLeads({ isr, elr, lastKnownElr }: PartitionImage): string {
  const complete = isr.length > 0 ? isr : elr
  if (complete.length > 0) {
    const who = isr.length > 0 ? 'the last in sync' : 'known to have all that was acknowledged'
    return `Nobody leads: ${brokers(complete)}, ${who}, cannot. The first of them that is back leads, and nothing is lost.`
  }
  const best = lastKnownElr.length > 0 ? `; ${brokers(lastKnownElr)} had it last` : ''
  return `Nobody leads: no replica is known to have all that was acknowledged${best}. Only an unclean election helps, and may lose records.`
}

/** What happens to a partition without a leader if nothing else does. */
function uncleanOutlook({ isr, elr, replicas }: PartitionImage, allowsUnclean: boolean): string {
  const others = replicas.filter((id) => !isr.includes(id) && !elr.includes(id))
  if (others.length === 0) return 'There is no other replica, so no unclean election could help.'
  const setting = 'unclean.leader.election.enable'
  return allowsUnclean
    ? `${setting} is true: ${brokers(others)} may lead as soon as one is back, and what it lacks is lost.`
    : `${setting} is false: ${brokers(others)} will not lead unless an operator asks for it (naru partition elect --unclean).`
}

function whoIsInSync({ isr, replicas, minIsr }: PartitionImage): string {
  const isWhole = isr.length === replicas.length
  const few = `${isr.length} of ${replicas.length} replicas ${isr.length === 1 ? 'is' : 'are'} in sync`
  const all = replicas.length === 1 ? 'The only replica is' : `All ${replicas.length} replicas are`
  const who = isr.length === 0 ? 'none' : listed(isr)
  const count = isWhole ? `${all} in sync` : `${few} (${who})`
  if (isr.length >= minIsr) return `${count}; writes with acks=all take ${minIsr}.`
  return `${count}, and min.insync.replicas asks for ${minIsr}: writes with acks=all are refused.`
}

function eligible({ elr, isRecovering }: PartitionImage): string[] {
  const sentences: string[] = []
  if (elr.length > 0) {
    const why = 'nothing is acknowledged while too few are in sync'
    sentences.push(`${capital(brokers(elr))} can still lead without loss (ELR): ${why}.`)
  }
  if (isRecovering) {
    sentences.push('The leader was elected uncleanly: what others have beyond its log is cut back.')
  }
  return sentences
}

function underWay({ addingReplicas, removingReplicas }: PartitionImage): string[] {
  if (addingReplicas.length + removingReplicas.length === 0) return []
  const coming = addingReplicas.length > 0 ? `${brokers(addingReplicas)} to come` : undefined
  const going = removingReplicas.length > 0 ? `${brokers(removingReplicas)} to go` : undefined
  const said = [coming, going].filter((each) => each !== undefined).join(', ')
  return [`A reassignment is under way, with ${said}: it ends when all that come are in sync.`]
}

function lastElection({ election }: PartitionPast): string[] {
  if (election === undefined) return []
  const { leader, previous, leaderEpoch, isUnclean } = election
  const change = `from ${previous < 0 ? 'nobody' : previous} to ${leader < 0 ? 'nobody' : leader}`
  const kind = isUnclean ? ', uncleanly: acknowledged records may be lost' : ''
  return [
    `The last election went ${change} in epoch ${leaderEpoch}${kind} (${reasonIn(election)}).`,
  ]
}

function lastIsrChange({ isrChange }: PartitionPast): string[] {
  if (isrChange === undefined) return []
  const { left, joined } = isrChange
  const said = [
    left.length > 0 ? `${brokers(left)} left` : undefined,
    joined.length > 0 ? `${brokers(joined)} joined` : undefined,
  ].filter((each) => each !== undefined)
  return [`The replicas in sync changed last when ${said.join(' and ')} (${reasonIn(isrChange)}).`]
}

/** What the log calls the reason: a command of the controller, or what it noticed. */
function reasonIn({ cause }: { cause: string }): string {
  return cause === '' ? 'for a reason that was not noted' : (causes[cause] ?? cause)
}

const causes: Readonly<Record<string, string>> = {
  alterPartition: 'as the leader found it',
  electLeaders: 'an election was held',
  reassignPartitions: 'a reassignment was asked for',
  registerBroker: 'a broker started anew',
  unfenceBroker: 'a broker came back',
  controlledShutdown: 'a broker was about to stop',
  reportOfflineDirectories: 'a log directory failed',
  reportLostReplicas: 'a replica was found damaged',
  unregisterBroker: 'a broker was unregistered',
  stopped: 'a broker stopped',
  'session timeout': 'a broker was silent for too long',
  'connection lost': 'the connection to a broker was lost',
  'asked for it': 'a broker asked to be fenced',
}

function brokers(ids: readonly NodeId[]): string {
  return `${ids.length === 1 ? 'broker' : 'brokers'} ${listed(ids)}`
}

function listed(ids: readonly NodeId[]): string {
  return ids.join(', ')
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
