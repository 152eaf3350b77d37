import { isRefusal } from '@naru/metadata'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'

export function alterPartitionReassignments({
  partitionAdmin,
  clock,
}: Pick<Ports, 'partitionAdmin' | 'clock'>) {
  return defineHandler(apis.alterPartitionReassignments, async (request) => {
    const { topics, allowReplicationFactorChange, timeoutMs } = request
    const moves = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas }) => {
        return { topic: name, partition: partitionIndex, replicas }
      }),
    )
    const outcomes = await partitionAdmin.reassign(moves, {
      allowsOtherFactor: allowReplicationFactorChange,
      left: timeLeft(clock, timeoutMs),
    })
    const whole = isRefusal(outcomes) ? outcomes : undefined
    let next = 0
    const outcomeOfNext = () =>
      outcomeOf(isRefusal(outcomes) ? outcomes : outcomes[next++]?.refusal)
    return {
      throttleTimeMs: 0,
      allowReplicationFactorChange,
      ...outcomeOf(whole),
      responses: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          return { partitionIndex, ...outcomeOfNext() }
        }),
      })),
    }
  })
}
