import type { Message } from '@naru/raft'

/** The port between replicas. Lossy by contract: a message that cannot be sent now is dropped, and nobody is told. */
export interface PeerTransport {
  send(message: Message): void
}
