/** What happened in the cluster, in each format. */
import type { ClusterEvent } from '@naru/client'
import { escaped, type Format, jsonItem, tsvLine, type View } from './output.ts'
import { nameOf } from './partition-name.ts'
import { styled } from './style.ts'

export const eventView: View<ClusterEvent> = {
  kind: 'EventList',
  name: ({ index, type }) => `${index}/${type}`,
  fields: [
    { name: 'index', type: 'int64', in: 'wide', value: ({ index }) => index },
    { name: 'time', type: 'string or null, RFC 3339', value: timeOf },
    { name: 'event', type: 'string', value: ({ type }) => type },
    { name: 'about', type: 'string', value: aboutOf },
    { name: 'text', type: 'string', value: textOf },
    { name: 'cause', type: 'string', value: ({ cause }) => cause },
    {
      name: 'details',
      type: 'object: what the event has, as naru.admin.v1 names it',
      in: 'json',
      value: detailsOf,
    },
  ],
}

const timeWidth = 24
const aboutWidth = 12

export function eventLine(format: Format): (event: ClusterEvent) => string {
  switch (format) {
    case 'table':
      return (event) => `${personLine(event)}\n`
    case 'wide':
      return (event) => `${styled('dim', String(event.index).padStart(8))}  ${personLine(event)}\n`
    case 'json':
      return (event) => JSON.stringify(jsonItem(eventView, event))
    case 'ndjson':
      return (event) => `${JSON.stringify(jsonItem(eventView, event))}\n`
    case 'tsv':
      return (event) => `${tsvLine(eventView, event)}\n`
    case 'name':
      return (event) => `${eventView.name(event)}\n`
  }
}

function personLine(event: ClusterEvent): string {
  const time = (timeOf(event) ?? '-').padEnd(timeWidth)
  const about = aboutOf(event).padEnd(aboutWidth)
  const cause = event.cause === '' ? '' : styled('dim', ` (${escaped(event.cause)})`)
  return `${styled('dim', time)}  ${about}  ${textOf(event)}${cause}`
}

function timeOf({ timestampMs }: ClusterEvent): string | undefined {
  return timestampMs === undefined ? undefined : new Date(timestampMs).toISOString()
}

function aboutOf(event: ClusterEvent): string {
  if ('partition' in event) return nameOf(event)
  if ('topic' in event) return event.topic
  if ('nodeId' in event) return `broker ${event.nodeId}`
  return 'name' in event ? event.name : 'timeline'
}

/** Without what it is about. */
function textOf(event: ClusterEvent): string {
  switch (event.type) {
    case 'eventsMissing':
      return `entries ${event.fromIndex} to ${event.index} are missing: ${missing[event.reason] ?? event.reason}`
    case 'leaderElected': {
      const { leaderId, previousLeaderId, leaderEpoch } = event
      return `leader ${nodeText(leaderId)}, before ${nodeText(previousLeaderId)}, epoch ${leaderEpoch}`
    }
    case 'isrShrunk':
      return `in sync ${nodesText(event.isrIds)}, left ${nodesText(event.leftIds)}`
    case 'isrGrown':
      return `in sync ${nodesText(event.isrIds)}, joined ${nodesText(event.joinedIds)}`
    case 'uncleanElection':
      return `unclean election of ${event.leaderId}, ${event.commanded ? 'by command' : 'by the setting of the topic'}`
    case 'reassignmentStarted':
      return `moves, replicas ${nodesText(event.replicaIds)}`
    case 'reassignmentEnded':
      return `moves no more, replicas ${nodesText(event.replicaIds)}`
    case 'brokerRegistered':
      return `registered, epoch ${event.brokerEpoch}`
    case 'directoriesFailed':
      return `directories failed: ${event.directoryIds.join(', ')}`
    case 'featureChanged':
      return `level ${event.level}, before ${event.previousLevel}`
    default:
      return plain[event.type]
  }
}

const plain = {
  brokerFenced: 'fenced',
  brokerUnfenced: 'serves',
  brokerShuttingDown: 'shuts down',
  brokerUnregistered: 'unregistered',
  topicCreated: 'topic created',
  topicDeleted: 'topic deleted',
} as const

const missing: Readonly<Record<string, string>> = {
  snapshot: 'a snapshot stood for them',
  observer: 'the broker did not vote',
  overload: 'there were too many',
  disk: 'the disk failed',
  unreadable: 'they cannot be read',
  retention: 'they are no longer kept',
}

function nodeText(nodeId: number | undefined): string {
  return nodeId === undefined ? 'none' : String(nodeId)
}

function nodesText(nodeIds: readonly number[]): string {
  return nodeIds.length === 0 ? 'none' : nodeIds.join(',')
}

/** 64-bit numbers are texts, as everywhere. */
function detailsOf({ type: _, index, timestampMs, cause, ...details }: ClusterEvent): object {
  const entries = Object.entries(details)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  )
}
