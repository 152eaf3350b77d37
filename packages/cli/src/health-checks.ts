/** Whether a cluster is healthy, as checks with a word and a sentence each. */
import type { ClusterView, QuorumView, TopicView } from '@naru/client'
import { quorumRows, votersText } from './quorum-rows.ts'
import { counted } from './style.ts'

export interface HealthCheck {
  readonly check: 'quorum' | 'brokers' | 'offline-partitions' | 'under-replicated-partitions'
  /** `unknown` where the cluster cannot be asked, which is no failure. */
  readonly status: 'ok' | 'failing' | 'unknown'
  readonly detail: string
}

export interface ClusterState {
  readonly cluster: ClusterView
  readonly topics: readonly TopicView[]
  /** Or why there is none, and whether that says something about its health. */
  readonly quorum: QuorumView | { readonly why: string; readonly isFailure: boolean }
  readonly nowMs: number
}

/** Partitions that a detail names; more are counted. */
const namedMax = 3

export function healthChecks(state: ClusterState): HealthCheck[] {
  const quorum = quorumCheck(state)
  const others = [brokersCheck(state), offlineCheck(state), underReplicatedCheck(state)]
  return [quorum, ...(hasController(state) ? others : others.map(asLastKnown))]
}

function hasController({ quorum }: ClusterState): boolean {
  return 'why' in quorum ? !quorum.isFailure : quorum.leader >= 0
}

/** Without a controller nobody notes who dies. */
function asLastKnown({ check, status, detail }: HealthCheck): HealthCheck {
  return {
    check,
    status: status === 'ok' ? 'unknown' : status,
    detail: `${detail} when there was a leader`,
  }
}

export function isHealthy(checks: readonly HealthCheck[]): boolean {
  return checks.every(({ status }) => status !== 'failing')
}

/** `Healthy: …` in one line. */
export function healthSentence(checks: readonly HealthCheck[]): string {
  const failing = checks.filter(({ status }) => status === 'failing')
  const said = failing.length === 0 ? checks : failing
  return `${failing.length === 0 ? 'Healthy' : 'Unhealthy'}: ${said.map(({ detail }) => detail).join('; ')}`
}

function quorumCheck({ quorum, nowMs }: ClusterState): HealthCheck {
  const check = 'quorum'
  if ('why' in quorum) {
    return { check, status: quorum.isFailure ? 'failing' : 'unknown', detail: quorum.why }
  }
  const { leader, leaderEpoch: term } = quorum
  if (leader < 0) return { check, status: 'failing', detail: `no leader in term ${term}` }
  const rows = quorumRows(quorum, nowMs)
  const isMissed = rows.some(({ role, isCaughtUp }) => role !== 'observer' && !isCaughtUp)
  const detail = `leader ${leader}, ${votersText(rows)}`
  return { check, status: isMissed ? 'failing' : 'ok', detail }
}

function brokersCheck({ cluster, topics }: ClusterState): HealthCheck {
  const alive = cluster.brokers.filter(({ isFenced }) => !isFenced).map(({ nodeId }) => nodeId)
  const known = new Set(cluster.brokers.map(({ nodeId }) => nodeId))
  // Brokers that are not listed, yet hold replicas: an older cluster does not list those that are fenced.
  const holders = topics.flatMap(({ partitions }) => partitions.flatMap(({ replicas }) => replicas))
  for (const nodeId of holders) known.add(nodeId)
  const missing = [...known].filter((nodeId) => !alive.includes(nodeId)).sort((a, b) => a - b)
  const count = `${alive.length} of ${counted(known.size, 'broker')} alive`
  if (missing.length === 0) return { check: 'brokers', status: 'ok', detail: count }
  return { check: 'brokers', status: 'failing', detail: `${count} (down: ${missing.join(', ')})` }
}

function offlineCheck({ topics }: ClusterState): HealthCheck {
  const offline = partitionsOf(topics).filter(({ leader }) => leader < 0)
  return partitionsCheck('offline-partitions', offline, { topics, what: 'offline' })
}

function underReplicatedCheck({ topics }: ClusterState): HealthCheck {
  const under = partitionsOf(topics).filter(({ isr, replicas }) => isr.length < replicas.length)
  const what = 'under-replicated'
  return partitionsCheck('under-replicated-partitions', under, { topics, what })
}

function partitionsOf(topics: readonly TopicView[]) {
  return topics.flatMap(({ name, partitions }) => {
    return partitions.map((partition) => ({ ...partition, name: `${name}/${partition.partition}` }))
  })
}

function partitionsCheck(
  check: HealthCheck['check'],
  found: readonly { readonly name: string }[],
  { topics, what }: { topics: readonly TopicView[]; what: string },
): HealthCheck {
  const all = topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
  const count = `${found.length} of ${counted(all, 'partition')} ${what}`
  if (found.length === 0) return { check, status: 'ok', detail: count }
  const named = found.slice(0, namedMax).map(({ name }) => name)
  const more = found.length > namedMax ? ` and ${found.length - namedMax} more` : ''
  return { check, status: 'failing', detail: `${count} (${named.join(', ')}${more})` }
}
