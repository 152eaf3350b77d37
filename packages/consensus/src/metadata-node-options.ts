import type { Clock, Logger, MessageNetwork, Random } from '@naru/base'
import type { ControllerSettings, LivenessTiming, MetadataRecord } from '@naru/metadata'
import type { QuorumSettings } from './quorum-settings.ts'
import type { LogLimits } from './raft-node.ts'
import type { RaftStorage } from './storage/raft-storage.ts'
import type { TimelineFiles } from './timeline/timeline.ts'

export interface MetadataNodeOptions {
  readonly nodeId: number
  /** Of the log directory that holds the metadata. */
  readonly directoryId: string
  readonly openStorage: () => Promise<RaftStorage>
  /** Where a voter keeps what happened; nowhere when not given. */
  readonly timeline?: TimelineFiles
  readonly quorum: QuorumSettings
  readonly logLimits?: LogLimits
  readonly controller: ControllerSettings
  readonly liveness: LivenessTiming
  /** What a new cluster begins with. */
  readonly firstRecords: () => readonly MetadataRecord[]
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The disk of the metadata failed: the process must end. */
  readonly onFatal: (error: unknown) => void
}
