/**
 * Tells the controller of replicas here that have lost what they had, and has those begin anew that are not needed for what is left:
 * first nobody counts on a replica any more, then its log is put aside, then it is filled from its leader.
 */
import type { Clock, Logger } from '@naru/base'
import type { MetadataRuntime } from '@naru/consensus'
import { LogDirectoryError } from '@naru/log'
import { isRefusal, type RequestOf, type ResponseOf } from '@naru/metadata'
import { kafkaErrors, type NodeId } from '@naru/model'
import type { PartitionHost } from './partition-host.ts'
import type { Partitions } from './partitions.ts'

const replicasMax = 2_000
const answerMs = 5_000
const retryMs = 1_000

type LostReplica = RequestOf<'reportLostReplicas'>['replicas'][number]
type Judged = ResponseOf<'reportLostReplicas'>['replicas'][number]

export interface LostReplicasOptions {
  readonly nodeId: NodeId
  readonly metadata: Pick<MetadataRuntime, 'submit' | 'membership'>
  readonly partitions: Pick<Partitions, 'all' | 'renew' | 'absent' | 'makeAbsent'>
  readonly clock: Clock
  readonly logger: Logger
}

export class LostReplicas {
  readonly #options: LostReplicasOptions
  readonly #corrupt = new Set<PartitionHost>()
  #isBusy = false
  #isStopped = false

  constructor(options: LostReplicasOptions) {
    this.#options = options
  }

  /**
   * Before this broker takes part under a registration: what its disks lack by then must not be counted on. Resolves when the
   * controller knows, or has another registration of this broker.
   */
  async report(brokerEpoch: bigint): Promise<void> {
    const { partitions } = this.#options
    const damaged = [...partitions.all()].filter(({ log }) => log.isDamaged)
    const replicas: LostReplica[] = [
      ...damaged.map(({ topicId, partition }) => ({ topicId, partition, lost: 'end' }) as const),
      ...partitions.absent(),
    ]
    for (let at = 0; at < replicas.length; at += replicasMax) {
      const isTold = await this.#tell(brokerEpoch, replicas.slice(at, at + replicasMax))
      if (!isTold) return
    }
    await partitions.makeAbsent()
    for (const { log } of damaged) log.isDamaged = false
    // Said once more at the next start, it would take out replicas that are complete by then.
    const directories = new Set(damaged.map((host) => host.directory))
    await Promise.all(
      [...directories].map((directory) => directory.checkpoint().catch(unlessOffline)),
    )
  }

  /** A replica that is in use was found damaged. */
  add(host: PartitionHost): void {
    this.#corrupt.add(host)
    host.withdraw()
    void this.#work()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** False: this registration is over, and the next one begins with the same report. */
  async #tell(brokerEpoch: bigint, replicas: readonly LostReplica[]): Promise<boolean> {
    const { logger } = this.#options
    while (!this.#isStopped) {
      const answer = await this.#submit(brokerEpoch, { isStarting: true, replicas })
      if (!isRefusal(answer)) {
        logger.error('replicas-incomplete', { replicas: answer.replicas })
        return true
      }
      const { error, message } = answer
      const { STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED } = kafkaErrors
      if (error === STALE_BROKER_EPOCH || error === BROKER_ID_NOT_REGISTERED) return false
      logger.warn('lost-replicas-untold', { reason: message })
      await this.#pause()
    }
    return false
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    while (this.#corrupt.size > 0 && !this.#isStopped) {
      const hosts = [...this.#corrupt].slice(0, replicasMax)
      const { brokerEpoch } = this.#options.metadata.membership
      const replicas = hosts.map(({ topicId, partition }) => {
        return { topicId, partition, lost: 'everything' } as const
      })
      const request = { isStarting: false, replicas }
      const answer =
        brokerEpoch === undefined ? undefined : await this.#submit(brokerEpoch, request)
      if (answer === undefined || isRefusal(answer)) {
        await this.#pause()
        continue
      }
      for (const [index, host] of hosts.entries()) {
        this.#corrupt.delete(host)
        await this.#settle(host, answer.replicas[index])
      }
    }
    this.#isBusy = false
  }

  async #settle(host: PartitionHost, judged: Judged | undefined): Promise<void> {
    const { partitions, logger } = this.#options
    const { corruption, name } = host.log
    if (judged?.isGivenUp !== true) {
      const hint = 'It is the last complete replica: what is readable of it is served'
      logger.error('replica-damaged', { log: name, err: corruption, hint })
      host.keep()
      return
    }
    const hint = 'Its files are put aside, and it is filled from its leader'
    logger.error('replica-damaged', { log: name, err: corruption, hint })
    await partitions.renew(host)
  }

  #submit(
    brokerEpoch: bigint,
    request: { readonly isStarting: boolean; readonly replicas: readonly LostReplica[] },
  ) {
    const { nodeId, metadata } = this.#options
    return metadata.submit(
      { type: 'reportLostReplicas', nodeId, brokerEpoch, ...request },
      answerMs,
    )
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(retryMs, resolve))
  }
}

/** A directory that fails meanwhile has told so itself. */
function unlessOffline(error: unknown): void {
  if (!(error instanceof LogDirectoryError)) throw error
}
