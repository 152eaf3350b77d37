import { type Client, connect, NaruError, type TopicView } from '@naru/client'
import { kafkaErrors, nearestName } from '@naru/model'
import { type Bootstrap, clientFailure } from './client-failure.ts'
import type { Format } from './output.ts'

export interface ConnectionOptions {
  readonly bootstrap?: string
  readonly bootstrapServer?: string
  readonly timeout: number
  readonly format: Format
}

/** Runs a command with a client. `activity` completes "Cannot …" when it fails, which `asFailure` tells of a part of it. */
export async function withClient<T>(
  options: ConnectionOptions,
  activity: string,
  command: (client: Client, asFailure: (error: unknown) => unknown) => Promise<T>,
): Promise<T> {
  const bootstrap = bootstrapOf(options)
  const asFailure = (error: unknown) => clientFailure(error, { activity, bootstrap })
  // The client's timers do not keep the process alive; a command that is not done does.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    await using client = await connect(bootstrap.text, {
      clientId: 'naru-cli',
      requestTimeoutMs: options.timeout,
      retryMs: options.timeout / 2,
    })
    return await command(client, asFailure)
  } catch (error) {
    throw asFailure(error)
  } finally {
    clearInterval(alive)
  }
}

/** A topic that must exist; the failure names the nearest one that does. */
export async function topicNamed(
  { admin }: Client,
  name: string,
  activity: string,
): Promise<TopicView> {
  const found = await admin.findTopic(name)
  if (found !== undefined) return found
  const names = (await admin.listTopics()).map((topic) => topic.name)
  const kafka = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  const message = `Cannot ${activity}: there is no topic ${name} (${kafka.name}, ${kafka.code})`
  throw new NaruError('NARU_BROKER', message, { kafka, hint: hintOfUnknown(name, names) })
}

/** A partition that must exist, where one was asked for. */
export function checkPartition(
  { name, partitions }: TopicView,
  partition: number | undefined,
  activity: string,
): void {
  if (partition === undefined || partitions.some((each) => each.partition === partition)) return
  const kafka = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  const why = `${name} has no partition ${partition} (${kafka.name}, ${kafka.code})`
  const hint = `It has the partitions 0 to ${partitions.length - 1}`
  throw new NaruError('NARU_BROKER', `Cannot ${activity}: ${why}`, { kafka, hint })
}

export function hintOfUnknown(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names)
  if (nearest !== undefined) return `Did you mean ${nearest}?`
  if (names.length > 0) return '`naru topic list` shows what there is'
  return `There are no topics yet: naru topic create ${name}`
}

function bootstrapOf(options: ConnectionOptions): Bootstrap {
  const given = options.bootstrap ?? options.bootstrapServer
  if (given !== undefined) return { text: given, source: 'from the command line' }
  for (const name of ['NARU_BOOTSTRAP', 'KAFKA_BOOTSTRAP_SERVERS']) {
    const text = process.env[name] ?? ''
    if (text !== '') return { text, source: `from ${name}` }
  }
  return { text: 'localhost:9092', source: 'the default' }
}
