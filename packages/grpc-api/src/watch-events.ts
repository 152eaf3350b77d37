/** `WatchEvents`: what happened, as messages. */
import type { EventsPage, EventWatcher } from '@naru/services'
import { millisecondsOf, type ProtoTime, timestampOf } from './proto-time.ts'
import { Refused } from './unary-call.ts'

export interface WatchEventsRequest {
  readonly fromIndex: string
  readonly maxAge?: ProtoTime | null
  readonly follow: boolean
}

type Item = EventsPage['items'][number]
type Gap = Item & { kind: 'gap' }
type Happened = (Item & { kind: 'events' })['events'][number]

export async function* watchEvents(
  events: EventWatcher,
  { fromIndex, maxAge, follow }: WatchEventsRequest,
  signal: AbortSignal,
): AsyncGenerator<object> {
  const maxAgeMs = maxAge == null ? Number.POSITIVE_INFINITY : millisecondsOf(maxAge)
  const request = { fromIndex: BigInt(fromIndex), maxAgeMs, isFollowing: follow }
  for await (const page of events.watch(request, signal)) {
    if ('error' in page) yield new Refused(page)
    else yield { events: page.items.flatMap(eventsOf), nextIndex: String(page.nextIndex) }
  }
}

function eventsOf(item: Item): object[] {
  const index = String(item.index)
  if (item.kind === 'gap') return [{ index, eventsMissing: missingOf(item) }]
  return item.events.map((event) => {
    const { timestampMs, cause } = event
    return { index, time: timestampOf(timestampMs), cause, [event.type]: detailsOf(event) }
  })
}

function missingOf({ fromIndex, reason }: Gap): object {
  return { fromIndex: String(fromIndex), reason: `REASON_${reason.toUpperCase()}` }
}

/** The members of the `oneof` have the names of the types. */
function detailsOf(event: Happened): object {
  switch (event.type) {
    case 'leaderElected': {
      const { leader, previous, leaderEpoch } = event
      const partition = partitionOf(event)
      return {
        partition,
        leaderEpoch,
        ...known('leaderId', leader),
        ...known('previousLeaderId', previous),
      }
    }
    case 'isrShrunk':
      return { partition: partitionOf(event), isrIds: event.isr, leftIds: event.nodes }
    case 'isrGrown':
      return { partition: partitionOf(event), isrIds: event.isr, joinedIds: event.nodes }
    case 'uncleanElection': {
      const { leader: leaderId, isCommanded: commanded } = event
      return { partition: partitionOf(event), leaderId, commanded }
    }
    case 'reassignmentStarted':
    case 'reassignmentEnded':
      return { partition: partitionOf(event), replicaIds: event.replicas }
    case 'brokerRegistered':
      return { nodeId: event.nodeId, brokerEpoch: String(event.brokerEpoch) }
    case 'brokerFenced':
    case 'brokerUnfenced':
    case 'brokerShuttingDown':
    case 'brokerUnregistered':
      return { nodeId: event.nodeId }
    case 'directoriesFailed':
      return { nodeId: event.nodeId, directoryIds: event.directories }
    case 'topicCreated':
    case 'topicDeleted':
      return { topic: event.topic, topicId: event.topicId }
    case 'featureChanged':
      return { name: event.name, level: event.level, previousLevel: event.previous }
  }
}

interface PartitionName {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** Without what else the event has. */
function partitionOf({ topic, topicId, partition }: PartitionName): PartitionName {
  return { topic, topicId, partition }
}

/** A node id that is negative stands for none. */
function known(name: string, nodeId: number): object {
  return nodeId < 0 ? {} : { [name]: nodeId }
}
