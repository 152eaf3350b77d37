import type { Clock, MessageNetwork } from '@naru/base'
import { loadFrameCodecs } from './frame-codec.ts'
import { openStream } from './outgoing-stream.ts'
import { StreamServer } from './stream-server.ts'

/** Streams between brokers over `naru.internal.v1.PeerService`. */
export function createGrpcNetwork(clock: Clock): MessageNetwork {
  const codecs = loadFrameCodecs()
  return {
    listen: (address, accept) => new StreamServer(codecs, clock, accept).listen(address),
    open: (address) => openStream(address, codecs, clock),
  }
}
