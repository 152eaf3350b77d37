/** Removes what retention allows, partition by partition, at the interval of `log.retention.check.interval.ms`. */
import type { Clock, Logger, Timer } from '@naru/base'
import {
  expiredSegments,
  isActiveSegmentExpired,
  LogDirectoryError,
  type RetainedSegment,
} from '@naru/log'
import type { PartitionHost } from './partition-host.ts'
import type { Partitions } from './partitions.ts'

export class RetentionTask {
  readonly #options: {
    partitions: Partitions
    clock: Clock
    logger: Logger
    intervalMs: number
    /** `producer.id.expiration.ms` */
    producerExpirationMs: number
  }
  #timer: Timer | undefined
  #running: Promise<void> | undefined

  constructor(options: {
    partitions: Partitions
    clock: Clock
    logger: Logger
    intervalMs: number
    /** `producer.id.expiration.ms` */
    producerExpirationMs: number
  }) {
    this.#options = options
  }

  start(): void {
    const { clock, intervalMs } = this.#options
    this.#timer = clock.setTimer(intervalMs, () => {
      this.#running = this.runOnce().finally(() => {
        if (this.#timer !== undefined) this.start()
      })
    })
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#running
  }

  async runOnce(): Promise<void> {
    for (const host of this.#options.partitions.all()) {
      try {
        await this.#apply(host)
      } catch (error) {
        if (!(error instanceof LogDirectoryError)) throw error
        this.#options.logger.warn('retention-failed', { log: host.log.name, err: error })
      }
    }
  }

  async #apply(host: PartitionHost): Promise<void> {
    const { log, config } = host
    host.expireProducers(this.#options.producerExpirationMs)
    if (!host.isOnline || (config.retentionMs < 0 && config.retentionBytes < 0)) return
    // A log with nothing in it has nothing to lose: it is not even loaded for this.
    if (log.logStartOffset === log.logEndOffset) return
    const leader = await host.open()
    // A follower takes over the start of its leader's log.
    if (leader === undefined) return
    const nowMs = this.#options.clock.now()
    const active = await this.#described(host, log.segments.length - 1)
    const isIdle = log.confirmedOffset === log.logEndOffset
    if (isIdle && isActiveSegmentExpired(active, config, nowMs)) log.roll()
    const segments: RetainedSegment[] = []
    for (let i = 0; i < log.segments.length; i++) segments.push(await this.#described(host, i))
    const { highWatermark } = leader
    const count = expiredSegments(segments, config, { nowMs, highWatermark })
    const next = log.segments[count]
    if (count === 0 || next === undefined) return
    await host.moveStart(next.baseOffset)
    this.#options.logger.info('segments-deleted', { log: log.name, count, start: next.baseOffset })
  }

  async #described(host: PartitionHost, index: number): Promise<RetainedSegment> {
    const segment = host.log.segments[index]
    if (segment === undefined) return { baseOffset: 0n, sizeBytes: 0, newestMs: undefined }
    await host.log.storage.indexesOf(host.log, segment)
    const newest = segment.maxTimestamp
    return {
      baseOffset: segment.baseOffset,
      sizeBytes: segment.sizeBytes,
      newestMs: newest < 0n ? undefined : Number(newest),
    }
  }
}
