import type { Message, ReplicaKey } from '@naru/raft'

/** The port between replicas. Lossy by contract: a message that cannot be sent now is dropped, and nobody is told. */
export interface PeerTransport {
  send(message: Message): void
  /** Set once by the node: a message has arrived. */
  onMessage: ((message: Message) => void) | undefined
  /** Set once by the node: the process of that replica is surely gone. */
  onPeerGone: ((peer: ReplicaKey) => void) | undefined
}

/** For a quorum of one, which has nobody to talk to. */
export function noPeers(): PeerTransport {
  return { send() {}, onMessage: undefined, onPeerGone: undefined }
}
