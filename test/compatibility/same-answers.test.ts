// The same questions to Apache Kafka and to our broker, byte for byte as a client of any age could ask them: both must answer the
// same, but for what is meant to differ (questions/differences.ts).
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApacheKafka } from '../support/apache-kafka.ts'
import { Asked } from '../support/asked.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { differencesOf } from '../support/comparable.ts'
import { hasJavaTools } from '../support/java-tools.ts'
import { clusterQuestions } from './questions/cluster.ts'
import { configQuestions } from './questions/configs.ts'
import { type MeantDifference, meantToDiffer } from './questions/differences.ts'
import { fetchQuestions } from './questions/fetch.ts'
import { offsetQuestions } from './questions/offsets.ts'
import { partitionQuestions } from './questions/partitions.ts'
import { produceQuestions } from './questions/produce.ts'
import { quorumQuestions } from './questions/quorum.ts'
import { topicQuestions } from './questions/topics.ts'

const questions = {
  ...clusterQuestions,
  ...quorumQuestions,
  ...topicQuestions,
  ...partitionQuestions,
  ...produceQuestions,
  ...fetchQuestions,
  ...offsetQuestions,
  ...configQuestions,
}

/** Of both brokers: what a file says shows in the configurations of topics. */
const settings = [
  'min.insync.replicas=1',
  'log.retention.hours=200',
  'log.roll.ms=700000000',
  'log.flush.interval.ms=60000',
  'log.index.interval.bytes=4000',
  'message.max.bytes=1100000',
]

describe.skipIf(!hasJavaTools())('Apache Kafka and our broker', () => {
  const brokers: AsyncDisposable[] = []
  const seen = new Set<MeantDifference>()
  let kafka: Asked
  let naru: Asked

  beforeAll(async () => {
    const apache = await ApacheKafka.start(settings)
    brokers.unshift(apache)
    const ours = await BrokerProcess.start(settings)
    brokers.unshift(ours)
    kafka = new Asked(apache.bootstrap)
    naru = new Asked(ours.bootstrap)
    brokers.unshift(kafka, naru)
  })

  afterAll(async () => {
    for (const each of brokers) await each[Symbol.asyncDispose]()
  })

  it.for(Object.entries(questions))('%s', async ([name, question]) => {
    const [expected, given] = await Promise.all([kafka.answers(question), naru.answers(question)])
    const found = differencesOf(expected, given)
    const meant = meantToDiffer.filter((each) => name.startsWith(each.question))
    const isMeant = ({ path, ...values }: (typeof found)[number]) =>
      meant.some((each) => each.path.test(path) && matches(values, each))
    expect(found.filter((difference) => !isMeant(difference))).toEqual([])
    for (const each of meant) if (found.some(({ path }) => each.path.test(path))) seen.add(each)
  })

  it('every difference that is meant is there', () => {
    expect(meantToDiffer.filter((each) => !seen.has(each))).toEqual([])
  })
})

/** The values of a difference, where it is said what they are. */
function matches(
  found: { kafka: unknown; naru: unknown },
  meant: { kafka?: unknown; naru?: unknown },
): boolean {
  const same = (side: 'kafka' | 'naru') =>
    !(side in meant) || JSON.stringify(found[side]) === JSON.stringify(meant[side])
  return same('kafka') && same('naru')
}
