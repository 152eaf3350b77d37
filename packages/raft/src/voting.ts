/** Answers to those who want to lead: the same in every role (Raft §5.2, §5.4.1; pre-vote: thesis §9.6). */
import type { MessageOf } from './messages.ts'
import type { Replica } from './replica.ts'

/** Says whether it would vote for the sender in the term that the sender would campaign in, and returns it. Binds it to nothing. */
export function answerPreVote(
  replica: Replica,
  message: MessageOf<'preVote'>,
  hasLiveLeader: boolean,
): boolean {
  const granted =
    message.term > replica.term &&
    !hasLiveLeader &&
    !replica.isRecovering &&
    replica.log.isCoveredBy(message.lastIndex, message.lastTerm)
  const term = granted ? message.term : replica.term
  replica.sendUnbound(message.from, { type: 'preVoteReply', granted }, term)
  return granted
}

/** Votes, at most once in a term, and not against a leader of that term. Returns whether it did. */
export function answerVote(
  replica: Replica,
  message: MessageOf<'vote'>,
  leader: string | undefined,
): boolean {
  const isFree = replica.vote === undefined && leader === undefined
  const granted =
    (isFree || replica.vote === message.from) &&
    !replica.isRecovering &&
    replica.log.isCoveredBy(message.lastIndex, message.lastTerm)
  if (granted) replica.castVote(message.from)
  replica.send(message.from, { type: 'voteReply', granted })
  return granted
}
