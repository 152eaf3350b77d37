/** Tells the controller what is gone from the disks of this broker, again until it has heard it: a deleted topic is known until all who held it have said so. */
import type { Clock, Logger, Timer } from '@naru/base'
import type { MetadataRuntime } from '@naru/consensus'
import { isRefusal } from '@naru/metadata'
import { type NodeId, topicPartitionKey } from '@naru/model'
import type { Deletion } from './partitions.ts'

const deletionsMax = 2_000
/** Before what was not heard is said again; doubles from one time to the next. */
const retryMsMin = 1_000
const retryMsMax = 30_000

export interface DeletionConfirmationsOptions {
  readonly nodeId: NodeId
  readonly metadata: Pick<MetadataRuntime, 'submit' | 'image'>
  readonly clock: Clock
  readonly logger: Logger
}

export class DeletionConfirmations {
  readonly #options: DeletionConfirmationsOptions
  /** Bounded by what the metadata know of: the rest is forgotten before it is said. */
  readonly #due = new Map<string, Deletion>()
  #retryMs = retryMsMin
  #timer: Timer | undefined
  #isBusy = false
  #isStopped = false

  constructor(options: DeletionConfirmationsOptions) {
    this.#options = options
  }

  add(deletions: readonly Deletion[]): void {
    for (const deletion of deletions) {
      this.#due.set(topicPartitionKey(deletion.topicId, deletion.partition), deletion)
    }
    if (this.#timer === undefined) this.#confirm()
  }

  /** What is not confirmed by then is found out again at the next start. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #confirm(): void {
    if (this.#isBusy || this.#isStopped) return
    const asked = this.#take()
    if (asked.size === 0) return
    this.#isBusy = true
    void this.#submit(asked).finally(() => {
      this.#isBusy = false
      if (this.#timer === undefined) this.#confirm()
    })
  }

  async #submit(asked: ReadonlyMap<string, Deletion>): Promise<void> {
    const { nodeId, metadata, clock, logger } = this.#options
    const deletions = [...asked.values()]
    const answer = await metadata.submit({ type: 'confirmDeletion', nodeId, deletions })
    if (!isRefusal(answer)) {
      this.#retryMs = retryMsMin
      for (const [key, deletion] of asked) {
        // It may have come, gone and been added anew meanwhile.
        if (this.#due.get(key) === deletion) this.#due.delete(key)
      }
      return
    }
    if (this.#isStopped) return
    logger.warn('deletions-unconfirmed', { count: deletions.length, reason: answer.message })
    this.#timer = clock.setTimer(this.#retryMs, () => {
      this.#timer = undefined
      this.#confirm()
    })
    this.#retryMs = Math.min(2 * this.#retryMs, retryMsMax)
  }

  /** Forgets what the controller does not wait for: it has heard it, though its answer was lost, or the replica is to come back. */
  #take(): Map<string, Deletion> {
    const taken = new Map<string, Deletion>()
    for (const [key, deletion] of this.#due) {
      if (!this.#isAwaited(deletion)) this.#due.delete(key)
      else if (taken.size < deletionsMax) taken.set(key, deletion)
    }
    return taken
  }

  #isAwaited({ topicId, partition }: Deletion): boolean {
    const { image } = this.#options.metadata
    const holders =
      partition === -1
        ? image.deletedTopics.get(topicId)?.holders
        : image.topicsById.get(topicId)?.partitions[partition]?.removedReplicas
    return holders?.includes(this.#options.nodeId) ?? false
  }
}
