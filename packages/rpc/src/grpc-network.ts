import type { Clock, MessageNetwork } from '@naru/base'
import { loadFrameCodecs } from './frame-codec.ts'
import { openStream } from './outgoing-stream.ts'
import { replicationCodecs } from './replication/replication-codecs.ts'
import { StreamServer } from './stream-server.ts'

/** Streams between brokers over the services of `naru.internal.v1`. */
export function createGrpcNetwork(clock: Clock): MessageNetwork {
  const codecs = { peer: loadFrameCodecs(), replication: replicationCodecs }
  return {
    listen: (address, accept) => new StreamServer(codecs, clock, accept).listen(address),
    open: (address, service) => openStream(address, { service, codecs: codecs[service], clock }),
  }
}
