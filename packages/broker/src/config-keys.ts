/**
 * Every broker configuration key, declared once. A key that works is here with its bounds; one that Kafka has and that means
 * nothing here is in accepted-keys.ts; those of a cluster of several are in
 * quorum-keys.ts; one that would promise what this version cannot keep is in `refused`, with the reason.
 */
import type { ConfigKey } from '@naru/model'
import { quorumKeys } from './quorum-keys.ts'

const int = { type: 'int', effect: 'works' } as const
const long = { type: 'long', effect: 'works' } as const
const string = { type: 'string', effect: 'works' } as const
const boolean = { type: 'boolean', effect: 'works' } as const
const list = { type: 'list', effect: 'works' } as const
/** By the names of Kafka's classes. */
export const replicaSelectors = {
  leader: 'org.apache.kafka.common.replica.LeaderSelector',
  rackAware: 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
} as const
const forever = '9223372036854775807'

export const brokerConfigKeys: readonly ConfigKey[] = [
  {
    name: 'node.id',
    ...int,
    default: '1',
    min: 0,
    documentation: 'Id of this node in the cluster.',
  },
  {
    name: 'broker.rack',
    ...string,
    default: '',
    documentation:
      'Where this broker stands: replicas are spread over racks, and consumers may be sent to theirs (`replica.selector.class`).',
  },
  {
    name: 'listeners',
    ...list,
    default: 'PLAINTEXT://localhost:9092',
    documentation: 'Where the broker listens: NAME://host:port. An empty host means every address.',
  },
  {
    name: 'advertised.listeners',
    ...list,
    default: '',
    documentation: 'What clients are told to connect to; what `listeners` says where it is empty.',
  },
  {
    name: 'listener.security.protocol.map',
    ...list,
    default: 'PLAINTEXT:PLAINTEXT',
    documentation:
      'Protocol of each listener name. A listener with another than PLAINTEXT is refused.',
  },
  ...quorumKeys,
  {
    name: 'log.dirs',
    ...list,
    default: '',
    documentation:
      'Directories of the partition logs, one for each disk; `log.dir` where it is empty.',
  },
  {
    name: 'log.dir',
    ...string,
    default: '/tmp/naru-logs',
    documentation: 'Directory of the partition logs where `log.dirs` is empty.',
  },
  {
    name: 'metadata.log.dir',
    ...string,
    default: '',
    documentation: 'Directory of the metadata; the first log directory where it is empty.',
  },
  {
    name: 'num.partitions',
    ...int,
    default: '1',
    min: 1,
    documentation: 'Partitions of a topic that is created without a number.',
  },
  {
    name: 'default.replication.factor',
    ...int,
    default: '3',
    min: 1,
    documentation:
      'Replicas of a topic that is created without a number; while it is not set, as many as there are brokers where these are fewer.',
  },
  {
    name: 'replica.lag.time.max.ms',
    ...long,
    default: '5000',
    min: 1,
    documentation: 'How long a follower may be behind its leader before it is out of sync.',
  },
  {
    name: 'replica.selector.class',
    ...string,
    default: '',
    form: {
      pattern: /^(|org\.apache\.kafka\.common\.replica\.(Leader|RackAwareReplica)Selector)$/,
      words: `empty, ${replicaSelectors.leader} or ${replicaSelectors.rackAware}`,
    },
    documentation:
      'Which replica consumers are sent to: the leader where it is empty, or one in sync in the rack of the consumer (`client.rack`, `broker.rack`).',
  },
  {
    name: 'unclean.leader.election.enable',
    ...boolean,
    default: 'false',
    documentation:
      'Whether, in topics that do not set it themselves, a replica that may lack acknowledged records leads where no complete one can. That of the controller counts.',
  },
  {
    name: 'auto.leader.rebalance.enable',
    ...boolean,
    default: 'true',
    documentation:
      'Whether leaderships go back to the replicas that come first, once these can lead.',
  },
  {
    name: 'leader.imbalance.check.interval.seconds',
    ...long,
    default: '300',
    min: 1,
    documentation: 'How often the controller looks for leaderships that are to go back.',
  },
  {
    name: 'auto.create.topics.enable',
    ...boolean,
    default: 'true',
    documentation: 'Whether asking for a topic that does not exist creates it.',
  },
  {
    name: 'delete.topic.enable',
    ...boolean,
    default: 'true',
    documentation: 'Whether topics can be deleted.',
  },
  {
    name: 'min.insync.replicas',
    ...int,
    default: '2',
    min: 1,
    documentation:
      'In-sync replicas that acks=all needs; counted as at most the number of replicas.',
  },
  {
    name: 'message.max.bytes',
    ...int,
    default: '1048588',
    min: 0,
    documentation: 'Largest record batch that is taken.',
  },
  {
    name: 'compression.type',
    ...string,
    default: 'producer',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    documentation: 'Codec in which batches are stored; `producer` keeps them as they came.',
  },
  {
    name: 'naru.flush',
    ...string,
    default: 'ack',
    oneOf: ['ack', 'async', 'never'],
    documentation:
      'What an acknowledgement waits for: `ack` the disk, `async` and `never` the page cache.',
  },
  {
    name: 'log.segment.bytes',
    ...int,
    default: '1073741824',
    min: 1048576,
    documentation: 'Size at which a segment is closed.',
  },
  {
    name: 'log.roll.hours',
    ...int,
    default: '168',
    min: 1,
    documentation: 'Age at which a segment is closed.',
  },
  {
    name: 'log.roll.ms',
    ...long,
    default: '',
    min: 1,
    documentation: 'As log.roll.hours, which it comes before.',
  },
  {
    name: 'log.retention.hours',
    ...int,
    default: '168',
    documentation: 'Time that records are kept; -1 for no limit.',
  },
  {
    name: 'log.retention.minutes',
    ...int,
    default: '',
    documentation: 'As log.retention.hours, which it comes before.',
  },
  {
    name: 'log.retention.ms',
    ...long,
    default: '',
    min: -1,
    documentation: 'As log.retention.minutes, which it comes before.',
  },
  {
    name: 'log.retention.bytes',
    ...long,
    default: '-1',
    min: -1,
    documentation: 'Size that a partition is kept to; -1 for no limit.',
  },
  {
    name: 'log.retention.check.interval.ms',
    ...long,
    default: '300000',
    min: 1,
    documentation: 'How often retention is applied.',
  },
  {
    name: 'log.segment.delete.delay.ms',
    ...long,
    default: '60000',
    min: 0,
    documentation: 'How long a removed segment stays for readers in the middle of it.',
  },
  {
    name: 'log.index.interval.bytes',
    ...int,
    default: '4096',
    min: 0,
    documentation: "Bytes of records between two entries of a segment's indexes.",
  },
  {
    name: 'log.index.size.max.bytes',
    ...int,
    default: '10485760',
    min: 4,
    documentation: "Size of a segment's offset index at which the segment is closed.",
  },
  {
    name: 'log.message.timestamp.type',
    ...string,
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    documentation: "Whether records keep the producer's timestamp or take the broker's.",
  },
  {
    name: 'log.message.timestamp.before.max.ms',
    ...long,
    default: forever,
    min: 0,
    documentation: 'How far a timestamp may be behind the clock.',
  },
  {
    name: 'log.message.timestamp.after.max.ms',
    ...long,
    default: '3600000',
    min: 0,
    documentation: 'How far a timestamp may be ahead of the clock.',
  },
  {
    name: 'log.cleanup.policy',
    ...list,
    default: 'delete',
    oneOf: ['delete'],
    documentation: 'What happens to old segments; compaction does not exist yet.',
  },
  {
    name: 'naru.log.max.open.files',
    ...int,
    default: '8000',
    min: 16,
    documentation: 'Segment files that are kept open at once.',
  },
  {
    name: 'naru.journal.file.bytes',
    ...int,
    default: '16777216',
    min: 1048576,
    documentation: 'Size of the journal files that a log directory starts with.',
  },
  {
    name: 'naru.journal.file.max.bytes',
    ...int,
    default: '67108864',
    min: 1048576,
    documentation: 'Size of the journal files that are added under load.',
  },
  {
    name: 'naru.journal.files.max',
    ...int,
    default: '6',
    min: 3,
    documentation: 'Most journal files of a log directory.',
  },
  {
    name: 'socket.request.max.bytes',
    ...int,
    default: '104857600',
    min: 1024,
    documentation: 'Largest request that is taken.',
  },
  {
    name: 'naru.connection.max.inflight.bytes',
    ...int,
    default: '33554432',
    min: 1024,
    documentation: 'Bytes of requests in work for one connection; beyond that it is not read.',
  },
  {
    name: 'connections.max.idle.ms',
    ...long,
    default: '600000',
    min: 1,
    documentation: 'Time after which a connection that does nothing is closed.',
  },
  {
    name: 'max.connections',
    ...int,
    default: '2147483647',
    min: 0,
    documentation: 'Most connections of a listener.',
  },
  {
    name: 'max.connections.per.ip',
    ...int,
    default: '2147483647',
    min: 0,
    documentation: 'Most connections from one address.',
  },
  {
    name: 'max.incremental.fetch.session.cache.slots',
    ...int,
    default: '1000',
    min: 0,
    documentation: 'Fetch sessions that are remembered.',
  },
  {
    name: 'fetch.max.bytes',
    ...int,
    default: '57671680',
    min: 1024,
    documentation: 'Most bytes of an answer to a fetch, but for a first batch that is larger.',
  },
  {
    name: 'max.request.partition.size.limit',
    ...int,
    default: '2000',
    min: 1,
    documentation: 'Most partitions that one answer describes page by page.',
  },
  {
    name: 'producer.id.expiration.ms',
    ...int,
    default: '86400000',
    min: 1,
    documentation: 'Time after which an idempotent producer that writes nothing is forgotten.',
  },
  {
    name: 'naru.log.level',
    ...string,
    default: 'info',
    oneOf: ['debug', 'info', 'warn', 'error'],
    documentation: 'Least severity of the lines that are logged.',
  },
  {
    name: 'naru.log.format',
    ...string,
    default: 'auto',
    oneOf: ['auto', 'json', 'pretty'],
    documentation: 'Form of log lines; `auto` is pretty on a terminal.',
  },
]

/** Keys that would promise something that is not kept: the start stops. */
export const refusedKeys: readonly { readonly prefix: string; readonly reason: string }[] = [
  { prefix: 'ssl.', reason: 'this version has no TLS: connections would not be protected' },
  { prefix: 'sasl.', reason: 'this version has no authentication: anybody could connect' },
  {
    prefix: 'authorizer.class.name',
    reason: 'this version has no authorization: every client may do everything',
  },
  {
    prefix: 'super.users',
    reason: 'this version has no authorization: every client may do everything',
  },
  { prefix: 'security.', reason: 'this version has no TLS and no authentication' },
  { prefix: 'principal.builder.class', reason: 'this version has no authentication' },
  { prefix: 'delegation.token.secret.key', reason: 'this version has no authentication' },
  { prefix: 'listener.name.', reason: 'this version has no settings for single listeners' },
  { prefix: 'create.topic.policy.class.name', reason: 'this version has no policies' },
  { prefix: 'alter.config.policy.class.name', reason: 'this version has no policies' },
  { prefix: 'client.quota.callback.class', reason: 'this version has no quotas' },
  { prefix: 'config.providers', reason: 'values are taken as they are written' },
  { prefix: 'cordoned.log.dirs', reason: 'every log directory takes new partitions' },
  { prefix: 'zookeeper.', reason: 'there is no ZooKeeper: metadata is kept by the brokers' },
  { prefix: 'remote.log.storage.', reason: 'this version has no tiered storage' },
]
