import type { Address } from '@naru/base'

/** Name under which a broker registers where other brokers reach it; not one that a Kafka listener can have. */
export const internalListener = 'naru.internal'

/** What the configuration says of the quorum. */
export interface QuorumSettings {
  /** `controller.quorum.voters`: who forms the first quorum. Empty: this node alone, unless it joins another. */
  readonly voters: ReadonlyMap<number, Address>
  /** `controller.quorum.bootstrap.servers`: where to look for a quorum that exists. */
  readonly bootstrapServers: readonly Address[]
  readonly electionTimeoutMs: number
  /** The internal listener; undefined for a quorum of one that talks to nobody. */
  readonly listen: Address | undefined
  /** Where others reach it; port 0 stands for the one that was bound. */
  readonly advertised: Address
  /** Nodes that are reached elsewhere than they say. */
  readonly peerAddresses: ReadonlyMap<number, Address>
}
