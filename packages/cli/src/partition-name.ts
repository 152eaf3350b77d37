import type { Client, NamedPartition } from '@naru/client'
import { checkPartition, topicNamed } from './connection.ts'
import { usage } from './failure.ts'

/** `orders:0`, as people name a partition; also `orders/0`. No name of a topic has either sign. */
export function partitionName(text: string): NamedPartition {
  const match = /^([^:/]+)[:/](\d{1,9})$/.exec(text)
  if (match !== null) return { topic: match[1] as string, partition: Number(match[2]) }
  throw usage(`A partition is named TOPIC:NUMBER, like orders:0, not "${text}"`)
}

/** One of several, added to those before it. */
export function partitionNames(text: string, before: readonly NamedPartition[] = []) {
  return [...before, partitionName(text)]
}

export function nameOf({ topic, partition }: NamedPartition): string {
  return `${topic}:${partition}`
}

/** A partition that must exist. */
export async function partitionNamed(
  client: Client,
  { topic, partition }: NamedPartition,
  activity: string,
): Promise<void> {
  checkPartition(await topicNamed(client, topic, activity), partition, activity)
}
