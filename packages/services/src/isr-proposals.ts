/** Asks the controller for the in-sync sets that leaders of this broker propose: many partitions in one request, one request at a time. */
import type { Clock, Logger } from '@naru/base'
import type { MetadataRuntime } from '@naru/consensus'
import type { NodeId } from '@naru/model'
import type { IsrProposal } from '@naru/partition'
import type { LeadingReplica } from '@naru/replication'
import type { PartitionHost } from './partition-host.ts'

const partitionsMax = 2_000
const answerMs = 5_000
/** After a refusal: what the leader has not heard of yet is probably on its way. */
const retryMs = 100

export interface IsrProposalsOptions {
  readonly nodeId: NodeId
  readonly metadata: Pick<MetadataRuntime, 'submit' | 'membership'>
  readonly clock: Clock
  readonly logger: Logger
}

interface Proposed {
  readonly host: PartitionHost
  readonly leading: LeadingReplica
  readonly proposal: IsrProposal
}

export class IsrProposals {
  readonly #options: IsrProposalsOptions
  readonly #due = new Set<PartitionHost>()
  /** Their leaders may propose the same with each acknowledgement: they are not asked before the retry. */
  readonly #refused = new Set<PartitionHost>()
  #isBusy = false

  constructor(options: IsrProposalsOptions) {
    this.#options = options
  }

  /** The leader of the partition has something to propose. */
  add(host: PartitionHost): void {
    if (this.#refused.has(host)) return
    this.#due.add(host)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isBusy || this.#due.size === 0) return
    this.#isBusy = true
    this.#options.clock.afterTurn(() => {
      void this.#propose().finally(() => {
        this.#isBusy = false
        this.#schedule()
      })
    })
  }

  async #propose(): Promise<void> {
    const { nodeId, metadata, clock, logger } = this.#options
    const { brokerEpoch } = metadata.membership
    if (brokerEpoch === undefined) {
      // What it leads by the metadata the process before led; nobody listens to this one until it is registered.
      await new Promise<void>((resolve) => clock.setTimer(retryMs, resolve))
      return
    }
    const proposed = this.#take()
    if (proposed.length === 0) return
    const partitions = proposed.map(requested)
    const request = { type: 'alterPartition', nodeId, brokerEpoch, partitions } as const
    const answer = await metadata.submit(request, answerMs)
    // What was accepted is in the metadata by now, and the leaders have adopted it.
    if ('error' in answer) logger.warn('isr-unanswered', { reason: answer.error })
    const left = proposed.filter(({ leading, proposal }) => {
      leading.core.unanswered(proposal)
      return leading.core.isProposalDue && !leading.isOver
    })
    if (left.length === 0) return
    for (const { host } of left) this.#refused.add(host)
    clock.setTimer(retryMs, () => {
      for (const { host } of left) {
        this.#refused.delete(host)
        this.add(host)
      }
    })
  }

  #take(): Proposed[] {
    const proposed: Proposed[] = []
    const nowMs = this.#options.clock.monotonic()
    for (const host of this.#due) {
      if (proposed.length >= partitionsMax) break
      this.#due.delete(host)
      const { leading } = host
      const proposal = leading?.core.takeProposal(nowMs)
      if (leading !== undefined && proposal !== undefined)
        proposed.push({ host, leading, proposal })
    }
    return proposed
  }
}

function requested({ host, leading, proposal }: Proposed) {
  const { core } = leading
  return {
    topicId: host.topicId,
    partition: host.partition,
    leaderEpoch: core.leaderEpoch,
    partitionEpoch: proposal.partitionEpoch,
    isr: proposal.members.map((id) => ({ nodeId: id, brokerEpoch: core.brokerEpochOf(id) })),
    isRecovering: core.registration.isRecovering && !core.isRecovered,
    hasFlushed: proposal.hasFlushed,
    bump: proposal.bump,
  }
}
