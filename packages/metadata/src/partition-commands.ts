import {
  array,
  boolean,
  int16,
  int32,
  int64,
  nullableArray,
  string,
  struct,
  uuid,
} from '@naru/protocol'
import { decideAlterPartition } from './alter-partition.ts'
import { defineCommand } from './command-definition.ts'
import { decideElections, electionKinds } from './elections.ts'
import { enumeration } from './enumeration.ts'
import { decideReassignment } from './reassignment.ts'

const partitionResults = struct({
  partitions: array(struct({ topicId: uuid, partition: int32, errorCode: int16, message: string })),
})

/** What leaders and operators ask for partitions: each answers for every partition by itself. */
export const partitionCommands = {
  alterPartition: defineCommand({
    request: struct({
      nodeId: int32,
      brokerEpoch: int64,
      partitions: array(
        struct({
          topicId: uuid,
          partition: int32,
          leaderEpoch: int32,
          partitionEpoch: int32,
          isr: array(struct({ nodeId: int32, brokerEpoch: int64 })),
          isRecovering: boolean,
          hasFlushed: boolean,
          bump: boolean,
        }),
      ),
    }),
    response: struct({
      partitions: array(
        struct({
          topicId: uuid,
          partition: int32,
          errorCode: int16,
          isr: array(int32),
          leader: int32,
          leaderEpoch: int32,
          partitionEpoch: int32,
          minIsr: int32,
          isFlushed: boolean,
          isRecovering: boolean,
        }),
      ),
    }),
    isRepeatable: false,
    decide: decideAlterPartition,
  }),
  electLeaders: defineCommand({
    request: struct({
      kind: enumeration(electionKinds),
      isCommanded: boolean,
      partitions: array(
        struct({
          topicId: uuid,
          partition: int32,
          candidates: array(
            struct({ nodeId: int32, brokerEpoch: int64, lastEpoch: int32, logEndOffset: int64 }),
          ),
        }),
      ),
    }),
    response: partitionResults,
    isRepeatable: false,
    decide: decideElections,
  }),
  reassignPartitions: defineCommand({
    request: struct({
      /** Else a partition keeps its number of replicas (KIP-860). */
      allowsOtherFactor: boolean,
      partitions: array(
        struct({ topicId: uuid, partition: int32, replicas: nullableArray(int32) }),
      ),
    }),
    response: partitionResults,
    isRepeatable: false,
    decide: decideReassignment,
  }),
}
