/** What lies in a topic in the end against what its writers were told. */
import { connect } from '@naru/client'
import type { AckRecorder } from './ack-recorder.ts'

type Written = Awaited<ReturnType<AckRecorder['stop']>>

/**
 * What is wrong with the records of a recorder: one that was acknowledged is not where it was acknowledged, or anything is missing,
 * doubled or out of order. Its producer is idempotent, and gives out its numbers in order.
 */
export async function auditRecords(
  bootstrap: string,
  topic: string,
  { byPartition, failures }: Written,
): Promise<string[]> {
  const problems = failures.map((failure) => `a send failed: ${failure}`)
  await using reader = await connect(bootstrap, { retryMs: 30_000 })
  for (const [partition, acknowledged] of byPartition.entries()) {
    const stored: number[] = []
    const options = { from: 'earliest', partitions: [partition], untilEnd: true } as const
    for await (const record of reader.consume(topic, options)) {
      const where = `${topic}/${partition}@${record.offset}`
      if (record.offset !== BigInt(stored.length)) problems.push(`${where} follows a gap`)
      if (Number(record.value) !== stored.length) problems.push(`${where} holds ${record.value}`)
      stored.push(Number(record.value))
    }
    const lost = acknowledged.filter(({ value, offset }) => stored[Number(offset)] !== value)
    if (lost.length > 0) {
      problems.push(`${topic}/${partition} lost ${lost.length}, first ${lost[0]?.offset}`)
    }
  }
  return problems
}
