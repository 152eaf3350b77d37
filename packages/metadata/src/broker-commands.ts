import {
  array,
  boolean,
  int16,
  int32,
  int64,
  nullableString,
  string,
  struct,
  uuid,
} from '@naru/protocol'
import {
  decideControlledShutdown,
  decideFence,
  decideOfflineDirectories,
  decideUnfence,
  decideUnregister,
} from './brokers.ts'
import { defineCommand } from './command-definition.ts'
import { decideConfirmDeletion } from './deletions.ts'
import { enumeration } from './enumeration.ts'
import { decideLostReplicas, losses } from './lost-replicas.ts'
import { cleanlinesses, decideRegisterBroker } from './registration.ts'

const key = { nodeId: int32, brokerEpoch: int64 }

/** What brokers ask for themselves, and what the controller asks itself about them. */
export const brokerCommands = {
  registerBroker: defineCommand({
    request: struct({
      nodeId: int32,
      incarnationId: uuid,
      metadataDirectory: uuid,
      clusterId: string,
      rack: nullableString,
      endpoints: array(struct({ listener: string, host: string, port: int32 })),
      directories: array(
        struct({
          directoryId: uuid,
          cleanliness: enumeration(cleanlinesses),
          brokerEpoch: int64,
        }),
      ),
      features: array(struct({ name: string, min: int16, max: int16 })),
      /** For the controller to fill in, from the sessions that it sees. */
      isPreviousSilent: boolean,
    }),
    response: struct({ brokerEpoch: int64 }),
    isRepeatable: true,
    decide: decideRegisterBroker,
  }),
  /** `cause`: why, for the timeline. */
  fenceBroker: defineCommand({
    request: struct({ ...key, cause: string }),
    response: struct({}),
    isRepeatable: true,
    decide: decideFence,
  }),
  unfenceBroker: defineCommand({
    request: struct(key),
    response: struct({}),
    isRepeatable: true,
    decide: decideUnfence,
  }),
  controlledShutdown: defineCommand({
    request: struct(key),
    response: struct({ remaining: int32, movable: int32 }),
    isRepeatable: true,
    decide: decideControlledShutdown,
  }),
  reportOfflineDirectories: defineCommand({
    request: struct({ ...key, directories: array(uuid) }),
    response: struct({}),
    isRepeatable: true,
    decide: decideOfflineDirectories,
  }),
  reportLostReplicas: defineCommand({
    request: struct({
      ...key,
      /** Under this registration it has followed nobody yet. */
      isStarting: boolean,
      replicas: array(struct({ topicId: uuid, partition: int32, lost: enumeration(losses) })),
    }),
    response: struct({
      replicas: array(struct({ topicId: uuid, partition: int32, isGivenUp: boolean })),
    }),
    isRepeatable: true,
    decide: decideLostReplicas,
  }),
  unregisterBroker: defineCommand({
    request: struct({ nodeId: int32 }),
    response: struct({}),
    isRepeatable: false,
    decide: (image, { nodeId }, context) => decideUnregister(image, nodeId, context),
  }),
  confirmDeletion: defineCommand({
    request: struct({
      nodeId: int32,
      deletions: array(struct({ topicId: uuid, partition: int32 })),
    }),
    response: struct({}),
    isRepeatable: true,
    decide: decideConfirmDeletion,
  }),
}
