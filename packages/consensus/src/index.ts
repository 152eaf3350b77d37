export { SessionError } from './broker-session.ts'
export { ConsensusError, MetadataStoreError } from './errors.ts'
export { lockDirectory } from './level-store.ts'
export type {
  BrokerRegistration,
  MetadataFollower,
  MetadataRuntimeOptions,
} from './metadata-runtime.ts'
export { internalListener, MetadataRuntime } from './metadata-runtime.ts'
export type { PeerTransport } from './peer-transport.ts'
export { noNetwork } from './peers/no-network.ts'
export type { QuorumSettings } from './quorum-member.ts'
export type { QuorumChange, QuorumView } from './quorum-operations.ts'
export { RaftNode, type RaftNodeOptions } from './raft-node.ts'
export type { StateMachine } from './state-machine.ts'
export { MemoryDisk, MemoryRaftStorage } from './storage/memory-raft-storage.ts'
export { openMetadataStorage } from './storage/metadata-storage.ts'
export type { RaftStorage } from './storage/raft-storage.ts'
