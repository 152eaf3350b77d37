import { type Client, type ConsumedRecord, NaruError, type TopicView } from '@naru/client'
import { kafkaErrors } from '@naru/model'
import { type ConnectionOptions, checkPartition, topicNamed, withClient } from '../connection.ts'
import { Failure } from '../failure.ts'
import { interruption } from '../interruption.ts'
import type { OffsetRange } from '../offset-range.ts'
import { recordOutput, recordView } from '../record-output.ts'
import type { RowStream } from '../row-stream.ts'
import { note } from '../style.ts'

export interface ConsumeOptions extends ConnectionOptions {
  readonly offset?: OffsetRange
  readonly partition?: number
  readonly number?: number
  readonly exit?: boolean
  readonly rack?: string
  readonly template?: (record: ConsumedRecord) => Buffer
}

export const view = recordView

/** Prints records until there are enough, the range is read, the end is reached, or somebody interrupts. */
export async function run(topic: string, options: ConsumeOptions): Promise<void> {
  const output = recordOutput(options.format, options.template)
  const signal = interruption()
  try {
    await withClient(options, `read topic ${topic}`, (client) =>
      read(client, { topic, options, output, signal }),
    )
    await output.end()
  } catch (error) {
    await output.end(error instanceof Failure ? error : undefined)
    throw error
  }
}

async function read(
  client: Client,
  {
    topic,
    options,
    output,
    signal,
  }: {
    topic: string
    options: ConsumeOptions
    output: RowStream<ConsumedRecord>
    signal: AbortSignal
  },
): Promise<void> {
  const { number: limit = Number.POSITIVE_INFINITY, partition, rack } = options
  const { exit: isExit = false } = options
  const range: OffsetRange = options.offset ?? { from: isExit ? 'earliest' : 'latest' }
  const activity = `read topic ${topic}`
  const found = await topicNamed(client, topic, activity)
  checkPartition(found, partition, activity)
  await checkRange(client, found, { range, partition })
  if (limit === 0) return
  if (range.from === 'latest' && range.until === undefined && !isExit) {
    note(`Waiting for new records of ${topic}; -o start reads those that are there, Ctrl-C stops`)
  }
  const records = client.consume(topic, {
    ...range,
    signal,
    untilEnd: isExit,
    ...(partition === undefined ? {} : { partitions: [partition] }),
    ...(rack === undefined ? {} : { rack }),
  })
  let count = 0
  for await (const record of records) {
    const wait = output.write(record)
    if (wait !== undefined) await wait
    if (++count >= limit) return
  }
}

/** An exact offset that a partition does not hold would otherwise fail in the middle, or hide what was deleted. */
async function checkRange(
  { admin }: Client,
  topic: TopicView,
  { range, partition }: { range: OffsetRange; partition: number | undefined },
): Promise<void> {
  const { name, partitions } = topic
  const { from, until } = range
  if (typeof from !== 'bigint' || from < 0n || until !== undefined) return
  const read = partitions.filter((each) => partition === undefined || each.partition === partition)
  for (const [index, { start, end }] of await admin.offsets({ ...topic, partitions: read })) {
    if (from >= start && from <= end) continue
    const kafka = kafkaErrors.OFFSET_OUT_OF_RANGE
    const why = `${name}/${index} has no offset ${from}, it holds ${held(start, end)}`
    const hint = `-o ${from}:end reads what there is from there on, -p picks a partition`
    const message = `Cannot read topic ${name}: ${why} (${kafka.name}, ${kafka.code})`
    throw new NaruError('NARU_BROKER', message, { kafka, hint })
  }
}

function held(start: bigint, end: bigint): string {
  return start === end ? `nothing, and ${end} comes next` : `offsets ${start} to ${end - 1n}`
}
