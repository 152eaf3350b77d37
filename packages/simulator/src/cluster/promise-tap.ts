/** Listens to what a process says to others, and holds it to its disk: nothing is promised that is not durable (R1, R5). */
import type { MessageNetwork, MessageStream } from '@naru/base'
import { mustHold } from '../raft/raft-history.ts'
import type { RaftDisk } from './raft-disk.ts'

/** A Raft message as it travels. */
interface WireMessage {
  readonly from: string
  readonly to: string
  readonly term: string
  readonly vote?: object
  readonly voteReply?: { readonly granted: boolean }
  readonly appendReply?: { readonly matchIndex: string; readonly rejected?: object }
  readonly heartbeatReply?: object
}

export function heldToDisk(network: MessageNetwork, disk: RaftDisk): MessageNetwork {
  const tapped = (stream: MessageStream): MessageStream => ({
    handle: (events) => stream.handle(events),
    send(message) {
      const { raft = [] } = message as { raft?: readonly WireMessage[] }
      for (const each of raft) checkPromise(each, disk)
      return stream.send(message)
    },
    end: () => stream.end(),
    reset: () => stream.reset(),
  })
  return {
    open: (address, service) => tapped(network.open(address, service)),
    listen: (address, accept) =>
      network.listen(address, (stream, service) => accept(tapped(stream), service)),
  }
}

function checkPromise(message: WireMessage, disk: RaftDisk): void {
  const { from, to, vote, voteReply, appendReply, heartbeatReply } = message
  const term = BigInt(message.term)
  const { hardState } = disk
  // What was said in an earlier term may have waited for a link, and the disk has gone on.
  if (hardState.term > term) return
  const isTermDurable = hardState.term === term
  if (voteReply?.granted === true) {
    mustHold(
      isTermDurable && hardState.vote === to,
      'vote before the disk',
      () => `${from} to ${to}`,
    )
  }
  if (vote !== undefined) {
    mustHold(isTermDurable && hardState.vote === from, 'campaign before the disk', () => from)
  }
  if (appendReply !== undefined || heartbeatReply !== undefined) {
    mustHold(isTermDurable, 'term before the disk', () => from)
  }
  if (appendReply === undefined || appendReply.rejected !== undefined) return
  const { matchIndex } = appendReply
  mustHold(
    disk.lastIndex >= BigInt(matchIndex),
    'acknowledgement before the disk',
    () => `${from} has ${disk.lastIndex}, says ${matchIndex}`,
  )
}
