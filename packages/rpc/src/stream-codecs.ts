import type { StreamService } from '@naru/base'
import { type FrameCodecs, loadFrameCodecs } from './frame-codec.ts'

export type StreamCodecs = Readonly<Record<StreamService, FrameCodecs>>

export function streamCodecs(): StreamCodecs {
  return {
    peer: loadFrameCodecs('peer.proto', 'PeerService', 'Connect'),
    replication: loadFrameCodecs('replication.proto', 'ReplicationService', 'Replicate'),
  }
}
