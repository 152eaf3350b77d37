/** What replicas say and do, in words short enough for a script's expected output. */
import type { Entry } from '../entry.ts'
import type { Message, MessageOf } from '../messages.ts'
import type { Persist, RaftEvent } from '../ready.ts'

export function formatEntry(entry: Entry): string {
  const place = `${entry.index}/${entry.term}`
  if (entry.kind === 'data') return `${place} "${entry.payload}"`
  return entry.kind === 'voters' ? `${place} voters ${entry.voters.join(',')}` : `${place} noop`
}

export function formatMessage(message: Message): string {
  return `${message.from}->${message.to} ${message.type} term ${message.term}${detailOf(message)}`
}

export function formatPersist({ hardState, reset, entries }: Persist): string {
  const parts: string[] = []
  if (hardState !== undefined) parts.push(`term ${hardState.term} vote ${hardState.vote ?? '-'}`)
  if (reset !== undefined) parts.push(`reset to ${reset.index}/${reset.term}`)
  if (entries.length > 0) parts.push(`entries ${entries.map(formatEntry).join(', ')}`)
  return parts.join('; ')
}

export function formatEvent(event: RaftEvent): string {
  switch (event.type) {
    case 'role':
      return `becomes ${event.role} of term ${event.term}${event.role === 'follower' ? `, leader ${event.leader ?? '-'}` : ''}`
    case 'voters':
      return `has voters ${event.voters.join(',')} from ${event.index}`
    case 'recovered':
      return 'is recovered'
  }
}

function recoveryOf({ recoverTo }: MessageOf<'heartbeat'>): string {
  return recoverTo === undefined ? '' : ` recover to ${recoverTo.index}`
}

function detailOf(message: Message): string {
  switch (message.type) {
    case 'preVote':
    case 'vote':
      return ` last ${message.lastIndex}/${message.lastTerm}`
    case 'preVoteReply':
    case 'voteReply':
      return message.granted ? ' granted' : ' denied'
    case 'append': {
      const entries =
        message.entries.length === 0 ? '' : ` [${message.entries.map(formatEntry).join(', ')}]`
      return ` after ${message.prevIndex}/${message.prevTerm} commit ${message.commitIndex}${entries}`
    }
    case 'appendReply': {
      const { rejected, matchIndex, isRecovering } = message
      const recovering = isRecovering ? ' recovering' : ''
      if (rejected === undefined) return ` match ${matchIndex}${recovering}`
      return ` rejects ${rejected.prevIndex}, hint ${rejected.hintIndex}/${rejected.hintTerm}${recovering}`
    }
    case 'heartbeat':
      return ` commit ${message.commitIndex} round ${message.round}${recoveryOf(message)}`
    case 'heartbeatReply':
      return ` round ${message.round}`
    case 'snapshot':
      return ` of ${message.snapshot.index}/${message.snapshot.term} bytes ${message.offset}+${message.data.length}${message.isLast ? ' last' : ''}`
    case 'snapshotReply':
      return ` of ${message.index} wants ${message.nextOffset}`
    case 'redirect':
      return ` to ${message.leader}`
    default:
      return ''
  }
}
