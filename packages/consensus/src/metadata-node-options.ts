import type { Clock, Logger, MessageNetwork, MessageStream, Random } from '@naru/base'
import type {
  ControllerSettings,
  LivenessTiming,
  LogEnds,
  MetadataRecord,
  SupportedFeature,
  TimelineEvent,
} from '@naru/metadata'
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
  /** How often a controller gives leaderships back to the replicas that come first; undefined for never. */
  readonly rebalanceMs?: number | undefined
  /** What this program can read and write. */
  readonly features: readonly SupportedFeature[]
  /** What a new cluster begins with. */
  readonly firstRecords: () => readonly MetadataRecord[]
  /** Hears what happened in the cluster, from where the log begins that this node has. */
  readonly onEvents?: (events: readonly TimelineEvent[]) => void
  readonly network: MessageNetwork
  /** Takes the streams of brokers that follow partitions of this one; without it they are refused. */
  readonly acceptReplication?: (stream: MessageStream) => void
  /** Answers other brokers; undefined for an operation that it does not know. */
  readonly answerBroker?: (operation: string, payload: Buffer) => Promise<Buffer> | undefined
  /** Asks replicas how far they go, for elections that topics allow; without it there are none but by command. */
  readonly logEnds?: LogEnds
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The disk of the metadata failed: the process must end. */
  readonly onFatal: (error: unknown) => void
}
