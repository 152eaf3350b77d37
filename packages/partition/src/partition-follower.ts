/**
 * What a follower decides in one leader epoch: which of a leader's answers count, where its log has to be cut, how far it is
 * committed. A new epoch is a new follower.
 */
import type { KafkaError, NodeId } from '@naru/model'
import { agreedEnd, epochError, type LeaderEpochs } from './leader-epochs.ts'

export interface PartitionFollowerOptions {
  readonly leader: NodeId
  readonly leaderEpoch: number
  readonly highWatermark: bigint
  /** The leader was elected uncleanly: what was committed may have to go. */
  readonly isRecovering: boolean
}

/** `duplicate`: it is in the log. `gap`: something before it was lost on the way. `stale`: meant for an earlier subscription. */
/** `within`: the log begins within the batch, and has nothing yet. */
export type BatchVerdict = 'append' | 'duplicate' | 'gap' | 'stale' | 'within'

export type Truncation =
  | { readonly kind: 'cut'; readonly endOffset: bigint }
  /** It would destroy what was committed (rule D5): the logs of the two are beyond repair by the protocol. */
  | { readonly kind: 'fatal'; readonly endOffset: bigint }
  | { readonly kind: 'stale' }

export class PartitionFollower {
  readonly leader: NodeId
  readonly leaderEpoch: number
  readonly #isRecovering: boolean
  #highWatermark: bigint
  #subscriptionId: number | undefined
  #isAccepted = false
  /** What lies below the high watermark is what the leader has. */
  #isAgreed: boolean

  constructor(options: PartitionFollowerOptions) {
    this.leader = options.leader
    this.leaderEpoch = options.leaderEpoch
    this.#isRecovering = options.isRecovering
    this.#highWatermark = options.highWatermark
    this.#isAgreed = !options.isRecovering
  }

  get highWatermark(): bigint {
    return this.#highWatermark
  }

  /** The leader sends what comes after the end of the log. */
  get isAccepted(): boolean {
    return this.#isAccepted
  }

  /**
   * Exclusive end of what readers may see of a log that is written up to `writtenOffset`. Undefined: nothing, since its leader was elected
   * uncleanly and has not found it to be a prefix of its own yet, or is known to have another one.
   */
  readableEnd(writtenOffset: bigint): bigint | undefined {
    if (!this.#isAgreed) return undefined
    return this.#highWatermark < writtenOffset ? this.#highWatermark : writtenOffset
  }

  /** Whether a client's idea of the leadership is ours. */
  checkEpoch(currentLeaderEpoch: number): KafkaError | undefined {
    return epochError(this.leaderEpoch, currentLeaderEpoch)
  }

  /** A new subscription; what earlier ones bring is void. */
  subscribed(id: number): void {
    this.#subscriptionId = id
    this.#isAccepted = false
  }

  /** The subscription is over, or its stream is. */
  unsubscribed(): void {
    this.#subscriptionId = undefined
    this.#isAccepted = false
  }

  /** The leader found this log to be a prefix of its own. */
  accepted(id: number): boolean {
    if (id !== this.#subscriptionId) return false
    this.#isAccepted = true
    this.#isAgreed = true
    return true
  }

  /** Rules D4 and D5: where to cut before the next subscription. */
  diverging(
    id: number,
    end: { readonly epoch: number; readonly endOffset: bigint },
    log: { readonly epochs: LeaderEpochs; readonly logEndOffset: bigint },
  ): Truncation {
    if (id !== this.#subscriptionId) return { kind: 'stale' }
    this.unsubscribed()
    const endOffset = agreedEnd(log.epochs, log.logEndOffset, end)
    if (endOffset >= this.#highWatermark) return { kind: 'cut', endOffset }
    return this.#uncommitted(endOffset)
  }

  /** Rule D16: the leader's log begins at `startOffset`, and nothing tells that this one agrees with it up to there: it begins anew. */
  outOfRange(id: number, startOffset: bigint): Truncation {
    if (id !== this.#subscriptionId) return { kind: 'stale' }
    this.unsubscribed()
    if (startOffset < this.#highWatermark) return this.#uncommitted(startOffset)
    this.#highWatermark = startOffset
    return { kind: 'cut', endOffset: startOffset }
  }

  /** Rule D6, for one batch that ends before `nextOffset`. */
  judge(
    id: number,
    batch: { readonly baseOffset: bigint; readonly nextOffset: bigint },
    { logStartOffset, logEndOffset }: { logStartOffset: bigint; logEndOffset: bigint },
  ): BatchVerdict {
    if (id !== this.#subscriptionId || !this.#isAccepted) return 'stale'
    if (batch.baseOffset === logEndOffset) return 'append'
    if (batch.nextOffset <= logEndOffset) return 'duplicate'
    // Rule D16: clients delete up to any record, and a log that begins anew there cannot cut the batch (KAFKA-6975).
    const isWithin = batch.baseOffset < logEndOffset && logStartOffset === logEndOffset
    return isWithin ? 'within' : 'gap'
  }

  /** Rule D7: what the leader has committed, as far as this log reaches. True when the high watermark moved. */
  committed(id: number, highWatermark: bigint, logEndOffset: bigint): boolean {
    if (id !== this.#subscriptionId || !this.#isAccepted) return false
    const reached = highWatermark < logEndOffset ? highWatermark : logEndOffset
    if (reached <= this.#highWatermark) return false
    this.#highWatermark = reached
    return true
  }

  /** What was committed is to go: only after an unclean election. */
  #uncommitted(endOffset: bigint): Truncation {
    this.#isAgreed = false
    if (!this.#isRecovering) return { kind: 'fatal', endOffset }
    this.#highWatermark = endOffset
    return { kind: 'cut', endOffset }
  }
}
