/** Which segments may go: pure, so that each rule is a line in a table. */

export interface RetainedSegment {
  readonly baseOffset: bigint
  readonly sizeBytes: number
  /** Largest record timestamp; undefined when the segment holds none. */
  readonly newestMs: number | undefined
}

export interface RetentionPolicy {
  /** -1 for no limit. */
  readonly retentionMs: number
  /** -1 for no limit. */
  readonly retentionBytes: number
}

/**
 * How many segments may go from the front. Time: every record is older than `retentionMs`. Size: the log stays at least
 * `retentionBytes` large without it. Nothing at or above the high watermark goes, and the last segment stays.
 */
export function expiredSegments(
  segments: readonly RetainedSegment[],
  policy: RetentionPolicy,
  { nowMs, highWatermark }: { nowMs: number; highWatermark: bigint },
): number {
  let totalBytes = 0
  for (const segment of segments) totalBytes += segment.sizeBytes
  let count = 0
  while (count + 1 < segments.length) {
    const segment = segments[count] as RetainedSegment
    const next = segments[count + 1] as RetainedSegment
    if (next.baseOffset > highWatermark) break
    const isOld =
      policy.retentionMs >= 0 &&
      segment.newestMs !== undefined &&
      nowMs - segment.newestMs > policy.retentionMs
    const isSurplus =
      policy.retentionBytes >= 0 && totalBytes - segment.sizeBytes >= policy.retentionBytes
    if (!isOld && !isSurplus) break
    totalBytes -= segment.sizeBytes
    count++
  }
  return count
}

/** Whether the active segment must be closed so that its records can expire: all of them are too old. */
export function isActiveSegmentExpired(
  segment: RetainedSegment,
  policy: RetentionPolicy,
  nowMs: number,
): boolean {
  return (
    policy.retentionMs >= 0 &&
    segment.sizeBytes > 0 &&
    segment.newestMs !== undefined &&
    nowMs - segment.newestMs > policy.retentionMs
  )
}
