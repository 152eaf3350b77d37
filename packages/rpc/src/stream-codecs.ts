import type { StreamService } from '@naru/base'
import { type FrameCodecs, loadFrameCodecs } from './frame-codec.ts'
import { replicationCodecs } from './replication/index.ts'

export type StreamCodecs = Readonly<Record<StreamService, FrameCodecs>>

export function streamCodecs(): StreamCodecs {
  return {
    peer: loadFrameCodecs(),
    replication: { path: '/naru.internal.v1.ReplicationService/Replicate', ...replicationCodecs },
  }
}
