/** Kafka's names on disk: twenty digits of the base offset and a suffix per kind of file. */
export type SegmentSuffix = '.log' | '.index' | '.timeindex' | '.snapshot'

export const leaderEpochCheckpointName = 'leader-epoch-checkpoint'
export const identityName = 'partition.metadata'
export const deletedSuffix = '.deleted'

export function segmentFileName(offset: bigint, suffix: SegmentSuffix): string {
  return offset.toString().padStart(20, '0') + suffix
}

/** The offset in a file's name, or undefined when the name is not of that kind. */
export function offsetOfFileName(name: string, suffix: SegmentSuffix): bigint | undefined {
  if (name.length !== 20 + suffix.length || !name.endsWith(suffix)) return undefined
  const digits = name.slice(0, 20)
  return /^\d{20}$/.test(digits) ? BigInt(digits) : undefined
}

/** The topic and partition of a directory's name `orders-3`, or undefined for any other name. */
export function topicPartitionOfDirectory(
  name: string,
): { topic: string; partition: number } | undefined {
  const match = /^([a-zA-Z0-9._-]{1,249})-(\d{1,9})$/.exec(name)
  if (match === null) return undefined
  return { topic: match[1] as string, partition: Number(match[2]) }
}
