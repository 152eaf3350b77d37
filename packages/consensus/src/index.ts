export type { BrokerRegistration } from './broker-membership.ts'
export { SessionError } from './broker-session.ts'
export { coder } from './coder.ts'
export { ConsensusError, MetadataStoreError } from './errors.ts'
export { internalAddressOf } from './internal-addresses.ts'
export { lockDirectory } from './level-store.ts'
export type { MetadataFollower } from './metadata-copy.ts'
export type { MetadataNodeOptions } from './metadata-node-options.ts'
export { MetadataRuntime } from './metadata-runtime.ts'
export type { PeerTransport } from './peer-transport.ts'
export { noNetwork } from './peers/no-network.ts'
export type { QuorumChange, QuorumView } from './quorum-operations.ts'
export { internalListener, type QuorumSettings } from './quorum-settings.ts'
export { type LogLimits, RaftNode, type RaftNodeOptions } from './raft-node.ts'
export type { StateMachine } from './state-machine.ts'
export { MemoryDisk, MemoryRaftStorage } from './storage/memory-raft-storage.ts'
export { openMetadataStorage } from './storage/metadata-storage.ts'
export type { RaftStorage } from './storage/raft-storage.ts'
export { Timeline, type TimelineFiles } from './timeline/timeline.ts'
export type {
  GapReason,
  TimelineGap,
  TimelineItem,
  TimelinePage,
  TimelinePosition,
} from './timeline/timeline-item.ts'
