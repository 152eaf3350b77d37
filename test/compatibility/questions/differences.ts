/** Where our broker is meant to answer otherwise than Apache Kafka, and why. What is not listed must be the same. */

export interface MeantDifference {
  /** The name of a question, or what the names of several begin with. */
  readonly question: string
  /** Of what was asked and where in the answer. */
  readonly path: RegExp
  readonly kafka?: unknown
  readonly naru?: unknown
  readonly reason: string
}

export const meantToDiffer: readonly MeantDifference[] = [
  {
    question: 'ApiVersions: the APIs that we have, in every version',
    path: /apiKeys\/13\/maxVersion$/,
    kafka: 5,
    naru: 4,
    reason: 'DescribeLogDirs 5 came with Kafka 4.3; the versions offered are those of 4.2.',
  },
  {
    question: 'ApiVersions: the APIs that we have, in every version',
    path: /Features/,
    reason:
      'Groups, transactions and share groups are not there, so their features are not either.',
  },
  {
    question: 'Metadata: known, unknown, invalid, none, twice',
    path: /^\/by neither\//,
    reason: 'Kafka fails with an unexpected error; no topic has the id zero.',
  },
  {
    question: 'Metadata: auto-creation',
    path: /^\/a name that collides\/.*errorCode$/,
    kafka: 3,
    naru: 17,
    reason:
      'Kafka tells nobody that it could not create the topic, so clients ask until they give up.',
  },
  {
    question: 'CreateTopics: partitions and replicas',
    path: /^\/(defaults|assigned)\/.*topicId$/,
    naru: 'none',
    reason: 'A topic that is only validated has no id.',
  },
  {
    question: 'CreateTopics: validating creates nothing',
    path: /topicId$/,
    reason: 'A topic that is only validated has no id.',
  },
  {
    question: 'CreatePartitions: counts and assignments',
    path: /^\/far too many\/.*errorCode$/,
    kafka: -1,
    naru: 44,
    reason: 'POLICY_VIOLATION, as when topics are created; Kafka fails with an unexpected error.',
  },
  {
    question: 'AlterPartitionReassignments: targets',
    path: /^\/nothing\/errorMessage$/,
    kafka: '',
    naru: null,
    reason: 'There is nothing to say, whether something was asked for or not.',
  },
  {
    question: 'Produce: what is no batch',
    path: /^\/(a record with a wrong offset|a spare attribute bit|a delete horizon|stored)\//,
    reason: 'Kafka stores a record whose offset is not its own; readers would trip over it.',
  },
  {
    question: 'Produce: compression',
    path: /^\/.*(cut short|but garbage)\/.*errorCode$/,
    kafka: -1,
    naru: 87,
    reason: 'INVALID_RECORD says what is wrong; Kafka fails with an unexpected error.',
  },
  {
    question: 'Produce: compression',
    path: /^\/codec 5\/.*errorCode$/,
    kafka: -1,
    naru: 76,
    reason:
      'UNSUPPORTED_COMPRESSION_TYPE says what is wrong; Kafka fails with an unexpected error.',
  },
  {
    question: 'CreateTopics: ',
    path: /min\.insync\.replicas\/(configSource|synonyms)/,
    reason:
      'Kafka keeps this one for the cluster, since leaders are elected by it; its default is 1, ours 2.',
  },
  {
    question: 'DescribeConfigs: every',
    path: /min\.insync\.replicas\/(configSource|synonyms)/,
    reason:
      'Kafka keeps this one for the cluster, since leaders are elected by it; its default is 1, ours 2.',
  },
  {
    question: 'DescribeConfigs: which',
    path: /min\.insync\.replicas\/(configSource|synonyms)/,
    reason:
      'Kafka keeps this one for the cluster, since leaders are elected by it; its default is 1, ours 2.',
  },
  {
    question: 'DescribeConfigs: which',
    path: /^\/all brokers\/.*configs$/,
    naru: [],
    reason: 'Kafka keeps min.insync.replicas there; ours is in the file of each broker.',
  },
  {
    question: 'DescribeConfigs: which',
    path: /^\/loggers of this broker\/.*isEmpty$/,
    naru: true,
    reason: 'Its logger has one level, naru.log.level.',
  },
  {
    question: 'DescribeConfigs: keys of the broker',
    path: /^\/(ssl|sasl|security|remote\.log\.storage|authorizer|super\.users|principal|delegation\.token\.secret)\./,
    naru: undefined,
    reason: 'Keys that are refused, as they would promise a protection that is not there.',
  },
  {
    question: 'DescribeConfigs: keys of the broker',
    path: /^\/(.*\.policy\.class\.name|client\.quota\.callback\.class|config\.providers|cordoned\.log\.dirs)$/,
    naru: undefined,
    reason: 'Keys that are refused, as they would promise what is not done.',
  },
  {
    question: 'DescribeConfigs: keys of the broker',
    path: /^\/(node\.id|listeners|listener\.security\.protocol\.map|log\.dir|min\.insync\.replicas|default\.replication\.factor)$/,
    reason: 'Defaults of our own, with which a broker starts without a file.',
  },
  {
    question: 'DescribeConfigs: keys of the broker',
    path: /^\/(broker\.(session\.timeout|heartbeat\.interval)|controller\.quorum\.election\.timeout|replica\.lag\.time\.max)\.ms$/,
    reason:
      'A broker that is gone is noticed sooner, and so are a leader of the metadata and a follower that lags.',
  },
  {
    question: 'DescribeConfigs: keys of the broker',
    path: /^\/confluent\.support\.metrics\.enable$/,
    kafka: undefined,
    reason: 'Set in the images of a distribution of Kafka.',
  },
  {
    question: 'DescribeConfigs: every',
    path: /\/(flush|retention|segment)\.ms\/synonyms/,
    reason:
      'Kafka names the default of a key that stands behind this one, and does not see what hours say.',
  },
  {
    question: 'DescribeConfigs: which',
    path: /\/retention\.ms\/configSource$/,
    kafka: 5,
    naru: 4,
    reason: 'Kafka takes what log.retention.hours says for a default.',
  },
  {
    question: 'Produce: a partition twice in one request',
    path: /^\/(a partition twice|stored)\//,
    reason:
      'Kafka appends the last batch only and is silent about the other; here both are appended.',
  },
  {
    question: 'Fetch: unknown partitions, topics and ids',
    path: /^\/a partition twice\//,
    reason: 'Kafka answers the last one only; here each is answered.',
  },
]
