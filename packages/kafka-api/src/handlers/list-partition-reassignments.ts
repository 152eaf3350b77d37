import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import type { NamedPartition } from '@naru/services'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

/** Partitions that are not moving, or not there, are left out. */
export function listPartitionReassignments({ partitionAdmin }: Pick<Ports, 'partitionAdmin'>) {
  return defineHandler(apis.listPartitionReassignments, ({ topics }) => {
    const listed =
      topics === null
        ? byTopic(null)
        : topics.flatMap(({ name, partitionIndexes }) =>
            byTopic(partitionIndexes.map((partition) => ({ topic: name, partition }))),
          )
    return { throttleTimeMs: 0, ...outcomeOf(undefined), topics: listed }
  })

  function byTopic(asked: readonly NamedPartition[] | null) {
    const found = Map.groupBy(partitionAdmin.reassignments(asked), ({ topic }) => topic)
    return [...found].map(([name, reassignments]) => ({
      name,
      partitions: reassignments.map(({ partition, replicas, adding, removing }) => ({
        partitionIndex: partition,
        replicas: [...replicas],
        addingReplicas: [...adding],
        removingReplicas: [...removing],
      })),
    }))
  }
}
