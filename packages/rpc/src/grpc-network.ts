import type { Clock, MessageNetwork } from '@naru/base'
import { openStream } from './outgoing-stream.ts'
import { streamCodecs } from './stream-codecs.ts'
import { StreamServer } from './stream-server.ts'

/** Streams between brokers over the services of `naru.internal.v1`. */
export function createGrpcNetwork(clock: Clock): MessageNetwork {
  const codecs = streamCodecs()
  return {
    listen: (address, accept) => new StreamServer(codecs, clock, accept).listen(address),
    open: (address, service) => openStream(address, service, codecs[service], clock),
  }
}
