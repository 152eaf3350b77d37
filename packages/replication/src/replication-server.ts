/** What this broker leads, for the brokers of its followers. */
import type { Clock, Logger, MessageStream } from '@naru/base'
import type { TopicId } from '@naru/model'
import type { Greeting } from '@naru/rpc/replication'
import type { LeadingReplica } from './leading-replica.ts'
import { ServingStream } from './serving-stream.ts'
import type { Throttle } from './throttle.ts'

export type SelfIntroduction = Omit<Greeting, 'expectedNodeId'>

export interface LedReplicas {
  /** Undefined when this broker does not lead the partition, or not yet. */
  leading(topicId: TopicId, partition: number): LeadingReplica | undefined
}

export interface ReplicationServerOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly self: () => SelfIntroduction
  readonly replicas: LedReplicas
  /** Of what is sent to followers that catch up, on all streams together. */
  readonly throttle: Throttle
}

export class ReplicationServer {
  readonly #options: ReplicationServerOptions
  readonly #streams = new Set<ServingStream>()
  #isRetrying = false

  constructor(options: ReplicationServerOptions) {
    this.#options = options
  }

  accept(stream: MessageStream): void {
    const { clock, logger, self, replicas, throttle } = this.#options
    const serving: ServingStream = new ServingStream({
      stream,
      clock,
      self,
      replicas,
      throttle,
      onGreeted: (greeted) => this.#replaceEarlier(greeted),
      onClosed: (closed) => this.#streams.delete(closed),
      onViolation: (reason) => logger.error('replication-violation', { reason }),
    })
    this.#streams.add(serving)
  }

  /** This broker has begun to lead partitions. */
  leadersChanged(): void {
    if (this.#isRetrying) return
    this.#isRetrying = true
    this.#options.clock.afterTurn(() => {
      this.#isRetrying = false
      for (const stream of this.#streams) stream.retryEarly()
    })
  }

  stop(): void {
    for (const stream of [...this.#streams]) stream.reset()
  }

  /** A follower has one stream: what an earlier one says is of the past. */
  #replaceEarlier(greeted: ServingStream): void {
    for (const stream of [...this.#streams]) {
      if (stream !== greeted && stream.nodeId === greeted.nodeId) stream.reset()
    }
  }
}
