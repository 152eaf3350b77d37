/** What happened in the cluster, as `naru.admin.v1` tells it. */

interface PartitionName {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

type Happening =
  /** Nobody knows what happened in the entries from `fromIndex` to the event's index. */
  | { readonly type: 'eventsMissing'; readonly fromIndex: bigint; readonly reason: string }
  | (PartitionName & {
      readonly type: 'leaderElected'
      /** Absent for none. */
      readonly leaderId?: number
      readonly previousLeaderId?: number
      readonly leaderEpoch: number
    })
  | (PartitionName & {
      readonly type: 'isrShrunk'
      readonly isrIds: readonly number[]
      readonly leftIds: readonly number[]
    })
  | (PartitionName & {
      readonly type: 'isrGrown'
      readonly isrIds: readonly number[]
      readonly joinedIds: readonly number[]
    })
  | (PartitionName & {
      readonly type: 'uncleanElection'
      readonly leaderId: number
      readonly commanded: boolean
    })
  | (PartitionName & {
      readonly type: 'reassignmentStarted' | 'reassignmentEnded'
      readonly replicaIds: readonly number[]
    })
  | { readonly type: 'brokerRegistered'; readonly nodeId: number; readonly brokerEpoch: bigint }
  | {
      readonly type: 'brokerFenced' | 'brokerUnfenced' | 'brokerShuttingDown' | 'brokerUnregistered'
      readonly nodeId: number
    }
  | {
      readonly type: 'directoriesFailed'
      readonly nodeId: number
      readonly directoryIds: readonly string[]
    }
  | {
      readonly type: 'topicCreated' | 'topicDeleted'
      readonly topic: string
      readonly topicId: string
    }
  | {
      readonly type: 'featureChanged'
      readonly name: string
      readonly level: number
      readonly previousLevel: number
    }

export type ClusterEvent = Happening & {
  /** Of the entry in the metadata log. */
  readonly index: bigint
  /** By the clock of the controller that decided it; undefined where nobody knows. */
  readonly timestampMs: number | undefined
  readonly cause: string
}

/** `WatchEventsResponse` as it is loaded. */
export interface EventsMessage {
  readonly events: readonly EventMessage[]
  readonly nextIndex: string
}

interface EventMessage {
  readonly index: string
  readonly time: { readonly seconds: string; readonly nanos: number } | null
  readonly cause: string
  /** The member of the `oneof`; absent for an event that this version does not know. */
  readonly event?: ClusterEvent['type']
}

export function eventsOf({ events }: EventsMessage): ClusterEvent[] {
  return events.flatMap((message) => {
    const { index, time, cause, event: type } = message
    if (type === undefined) return []
    const { partition, ...details } = (message as unknown as Details)[type] ?? {}
    // The member of the `oneof` says which of the types it is; what each has is as the definition says.
    const event = {
      type,
      index: BigInt(index),
      timestampMs: time === null ? undefined : Number(time.seconds) * 1000 + time.nanos / 1e6,
      cause,
      ...partition,
      ...withNumbers(details),
    }
    return [event as unknown as ClusterEvent]
  })
}

type Details = Readonly<
  Record<string, { readonly partition?: PartitionName; readonly [field: string]: unknown }>
>

/** 64-bit numbers come as texts, a reason with the name of its enumeration, and what may be absent with a mark that it is there. */
function withNumbers(details: Readonly<Record<string, unknown>>): object {
  const { fromIndex, brokerEpoch, reason, _leaderId, _previousLeaderId, ...others } = details
  return {
    ...others,
    ...(typeof fromIndex === 'string' && { fromIndex: BigInt(fromIndex) }),
    ...(typeof brokerEpoch === 'string' && { brokerEpoch: BigInt(brokerEpoch) }),
    ...(typeof reason === 'string' && { reason: reason.replace('REASON_', '').toLowerCase() }),
  }
}
