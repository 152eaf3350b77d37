/** Every topic configuration key of Kafka 4.2, and ours. The default is the broker's value of `synonym` where it has one. */
import { type ConfigKey, canonicalValue, invalidValue, listOf, nearestName } from './config-key.ts'
import { parseThrottledReplicas, type ThrottledReplicas } from './throttled-replicas.ts'

export interface TopicConfigKey extends ConfigKey {
  /** The broker key that gives the default of all topics; empty when there is none. */
  readonly synonym: string
  /** The broker key has no default: what it leaves open is decided by another one, as hours stand in for milliseconds. */
  readonly isSynonymUnset?: true
}

const forever = '9223372036854775807'
const gzipLevels = ['-1', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const replicas = {
  pattern: /^(\*|(\d+:\d+)?(\s*,\s*(\d+:\d+)?)*)$/,
  words: 'pairs of partition and broker like 0:1,1:2, or *',
}

export const topicConfigKeys: readonly TopicConfigKey[] = [
  {
    name: 'cleanup.policy',
    type: 'list',
    default: 'delete',
    synonym: 'log.cleanup.policy',
    oneOf: ['delete', 'compact'],
    effect: 'works',
    documentation:
      'What happens to old segments. Only `delete` works so far; an empty list keeps everything.',
  },
  {
    name: 'compression.gzip.level',
    type: 'int',
    default: '-1',
    synonym: 'compression.gzip.level',
    oneOf: gzipLevels,
    effect: 'accepted',
    documentation: 'Level of gzip when the broker compresses.',
  },
  {
    name: 'compression.lz4.level',
    type: 'int',
    default: '9',
    synonym: 'compression.lz4.level',
    min: 1,
    max: 17,
    effect: 'accepted',
    documentation: 'Level of lz4 when the broker compresses.',
  },
  {
    name: 'compression.type',
    type: 'string',
    default: 'producer',
    synonym: 'compression.type',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    effect: 'works',
    documentation: 'Codec in which batches are stored; `producer` keeps them as they came.',
  },
  {
    name: 'compression.zstd.level',
    type: 'int',
    default: '3',
    synonym: 'compression.zstd.level',
    min: -131_072,
    max: 22,
    effect: 'accepted',
    documentation: 'Level of zstd when the broker compresses.',
  },
  {
    name: 'delete.retention.ms',
    type: 'long',
    default: '86400000',
    synonym: 'log.cleaner.delete.retention.ms',
    min: 0,
    effect: 'accepted',
    documentation: 'How long tombstones stay in a compacted topic.',
  },
  {
    name: 'file.delete.delay.ms',
    type: 'long',
    default: '60000',
    synonym: 'log.segment.delete.delay.ms',
    min: 0,
    effect: 'works',
    documentation:
      'How long a removed segment stays on the disk for readers that are in the middle of it.',
  },
  {
    name: 'flush.messages',
    type: 'long',
    default: forever,
    synonym: 'log.flush.interval.messages',
    min: 1,
    effect: 'accepted',
    documentation: 'Durability is decided by naru.flush.',
  },
  {
    name: 'flush.ms',
    type: 'long',
    default: forever,
    synonym: 'log.flush.interval.ms',
    isSynonymUnset: true,
    min: 0,
    effect: 'accepted',
    documentation: 'Durability is decided by naru.flush.',
  },
  {
    name: 'follower.replication.throttled.replicas',
    type: 'list',
    default: '',
    synonym: '',
    form: replicas,
    effect: 'works',
    documentation:
      'Replicas, as pairs of partition and broker or `*`, whose catching up is throttled on the broker of the follower (`follower.replication.throttled.rate`).',
  },
  {
    name: 'index.interval.bytes',
    type: 'int',
    default: '4096',
    synonym: 'log.index.interval.bytes',
    min: 0,
    effect: 'works',
    documentation: "Bytes of records between two entries of a segment's indexes.",
  },
  {
    name: 'leader.replication.throttled.replicas',
    type: 'list',
    default: '',
    synonym: '',
    form: replicas,
    effect: 'works',
    documentation:
      'Replicas, as pairs of partition and broker or `*`, whose catching up is throttled on the broker of the leader (`leader.replication.throttled.rate`).',
  },
  {
    name: 'local.retention.bytes',
    type: 'long',
    default: '-2',
    synonym: 'log.local.retention.bytes',
    min: -2,
    effect: 'accepted',
    documentation: 'Bytes kept locally with tiered storage.',
  },
  {
    name: 'local.retention.ms',
    type: 'long',
    default: '-2',
    synonym: 'log.local.retention.ms',
    min: -2,
    effect: 'accepted',
    documentation: 'Time that records stay local with tiered storage.',
  },
  {
    name: 'max.compaction.lag.ms',
    type: 'long',
    default: forever,
    synonym: 'log.cleaner.max.compaction.lag.ms',
    min: 1,
    effect: 'accepted',
    documentation: 'Longest time that a record may stay uncompacted.',
  },
  {
    name: 'max.message.bytes',
    type: 'int',
    default: '1048588',
    synonym: 'message.max.bytes',
    min: 0,
    effect: 'works',
    documentation: 'Largest record batch that is taken.',
  },
  {
    name: 'message.timestamp.after.max.ms',
    type: 'long',
    default: '3600000',
    synonym: 'log.message.timestamp.after.max.ms',
    min: 0,
    effect: 'works',
    documentation: "How far a record's timestamp may be ahead of the broker's clock.",
  },
  {
    name: 'message.timestamp.before.max.ms',
    type: 'long',
    default: forever,
    synonym: 'log.message.timestamp.before.max.ms',
    min: 0,
    effect: 'works',
    documentation: "How far a record's timestamp may be behind the broker's clock.",
  },
  {
    name: 'message.timestamp.type',
    type: 'string',
    default: 'CreateTime',
    synonym: 'log.message.timestamp.type',
    oneOf: ['CreateTime', 'LogAppendTime'],
    effect: 'works',
    documentation: "Whether records keep the producer's timestamp or take the broker's.",
  },
  {
    name: 'min.cleanable.dirty.ratio',
    type: 'double',
    default: '0.5',
    synonym: 'log.cleaner.min.cleanable.ratio',
    min: 0,
    max: 1,
    effect: 'accepted',
    documentation: 'Share of a log that must be uncompacted before compaction.',
  },
  {
    name: 'min.compaction.lag.ms',
    type: 'long',
    default: '0',
    synonym: 'log.cleaner.min.compaction.lag.ms',
    min: 0,
    effect: 'accepted',
    documentation: 'Shortest time that a record stays uncompacted.',
  },
  {
    name: 'min.insync.replicas',
    type: 'int',
    default: '2',
    synonym: 'min.insync.replicas',
    min: 1,
    effect: 'works',
    documentation:
      'In-sync replicas that acks=all needs; counted as at most the number of replicas.',
  },
  {
    name: 'naru.flush',
    type: 'string',
    default: 'ack',
    synonym: 'naru.flush',
    oneOf: ['ack', 'async', 'never'],
    effect: 'works',
    documentation:
      'What an acknowledgement waits for: `ack` the disk, `async` and `never` the page cache; `async` reaches the disk within 100 ms.',
  },
  {
    name: 'preallocate',
    type: 'boolean',
    default: 'false',
    synonym: 'log.preallocate',
    effect: 'accepted',
    documentation: 'Segments are never preallocated; the journal is.',
  },
  {
    name: 'remote.log.copy.disable',
    type: 'boolean',
    default: 'false',
    synonym: '',
    effect: 'accepted',
    documentation: 'Stops copying to tiered storage.',
  },
  {
    name: 'remote.log.delete.on.disable',
    type: 'boolean',
    default: 'false',
    synonym: '',
    effect: 'accepted',
    documentation: 'Removes remote segments when tiered storage is switched off.',
  },
  {
    name: 'remote.storage.enable',
    type: 'boolean',
    default: 'false',
    synonym: '',
    effect: 'works',
    documentation: 'Tiered storage; only `false` is taken.',
  },
  {
    name: 'retention.bytes',
    type: 'long',
    default: '-1',
    synonym: 'log.retention.bytes',
    effect: 'works',
    documentation: 'Size that a partition is kept to; -1, or any number below, for no limit.',
  },
  {
    name: 'retention.ms',
    type: 'long',
    default: '604800000',
    synonym: 'log.retention.ms',
    isSynonymUnset: true,
    min: -1,
    effect: 'works',
    documentation: 'Time that records are kept; -1 for no limit.',
  },
  {
    name: 'segment.bytes',
    type: 'int',
    default: '1073741824',
    synonym: 'log.segment.bytes',
    min: 1048576,
    effect: 'works',
    documentation: 'Size at which a segment is closed.',
  },
  {
    name: 'segment.index.bytes',
    type: 'int',
    default: '10485760',
    synonym: 'log.index.size.max.bytes',
    min: 4,
    effect: 'works',
    documentation: "Size of a segment's offset index at which the segment is closed.",
  },
  {
    name: 'segment.jitter.ms',
    type: 'long',
    default: '0',
    synonym: 'log.roll.jitter.ms',
    isSynonymUnset: true,
    min: 0,
    effect: 'accepted',
    documentation: 'Spread of the time at which segments are closed.',
  },
  {
    name: 'segment.ms',
    type: 'long',
    default: '604800000',
    synonym: 'log.roll.ms',
    isSynonymUnset: true,
    min: 1,
    effect: 'works',
    documentation: 'Age at which a segment is closed.',
  },
  {
    name: 'unclean.leader.election.enable',
    type: 'boolean',
    default: 'false',
    synonym: 'unclean.leader.election.enable',
    effect: 'works',
    documentation:
      'Whether a replica that may lack acknowledged records leads where no complete one can: what it lacks is lost. The longest log of those that answer is taken.',
  },
]

const byName = new Map(topicConfigKeys.map((key) => [key.name, key]))

export function topicConfigKey(name: string): TopicConfigKey | undefined {
  return byName.get(name)
}

/** The value as it is kept, or why a topic cannot be configured like this, in words for a person. */
export function checkedTopicConfig(
  name: string,
  given: string,
): { value: string; problem?: undefined } | { problem: string } {
  const key = byName.get(name)
  if (key === undefined) {
    const nearest = nearestName(name, byName.keys())
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    return { problem: `Unknown topic configuration ${name}${hint}` }
  }
  const value = canonicalValue(key, given)
  const problem = invalidValue(key, value) ?? notYet(name, value)
  return problem === undefined
    ? { value }
    : { problem: `Invalid value ${given} for ${name}: it ${problem}` }
}

/** Values that Kafka takes and this version does not: refused, because they would silently do nothing. */
function notYet(name: string, value: string): string | undefined {
  if (name === 'cleanup.policy' && listOf(value).includes('compact')) {
    return 'asks for log compaction, which this version does not have'
  }
  if (name === 'remote.storage.enable' && value === 'true') {
    return 'asks for tiered storage, which this version does not have'
  }
  return undefined
}

/** What the broker reads of a topic's configuration, parsed. */
export interface TopicConfig {
  readonly compressionType: string
  readonly maxMessageBytes: number
  readonly hasLogAppendTime: boolean
  readonly timestampBeforeMaxMs: bigint
  readonly timestampAfterMaxMs: bigint
  readonly minInSyncReplicas: number
  readonly flush: 'ack' | 'async' | 'never'
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly fileDeleteDelayMs: number
  readonly throttledLeaders: ThrottledReplicas
  readonly throttledFollowers: ThrottledReplicas
}

/** Parses the effective values; `setting` gives the topic's own value or the broker's default. */
export function parseTopicConfig(setting: (name: string) => string): TopicConfig {
  const deletes = listOf(setting('cleanup.policy')).includes('delete')
  return {
    compressionType: setting('compression.type'),
    maxMessageBytes: Number(setting('max.message.bytes')),
    hasLogAppendTime: setting('message.timestamp.type') === 'LogAppendTime',
    timestampBeforeMaxMs: BigInt(setting('message.timestamp.before.max.ms')),
    timestampAfterMaxMs: BigInt(setting('message.timestamp.after.max.ms')),
    minInSyncReplicas: Number(setting('min.insync.replicas')),
    flush: setting('naru.flush') as TopicConfig['flush'],
    segmentBytes: Number(setting('segment.bytes')),
    segmentMs: Number(setting('segment.ms')),
    segmentIndexBytes: Number(setting('segment.index.bytes')),
    indexIntervalBytes: Number(setting('index.interval.bytes')),
    retentionMs: deletes ? Number(setting('retention.ms')) : -1,
    retentionBytes: deletes ? Number(setting('retention.bytes')) : -1,
    fileDeleteDelayMs: Number(setting('file.delete.delay.ms')),
    throttledLeaders: parseThrottledReplicas(setting('leader.replication.throttled.replicas')),
    throttledFollowers: parseThrottledReplicas(setting('follower.replication.throttled.replicas')),
  }
}
