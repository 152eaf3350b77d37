import type { Handler } from '@naru/network'
import type { apis } from '@naru/protocol'
import type { Ports } from '../ports.ts'
import { addRaftVoter } from './add-raft-voter.ts'
import { alterConfigs, incrementalAlterConfigs } from './alter-configs.ts'
import { alterPartitionReassignments } from './alter-partition-reassignments.ts'
import { apiVersions } from './api-versions.ts'
import { createPartitions } from './create-partitions.ts'
import { createTopics } from './create-topics.ts'
import { deleteRecords } from './delete-records.ts'
import { deleteTopics } from './delete-topics.ts'
import { describeCluster } from './describe-cluster.ts'
import { describeConfigs } from './describe-configs.ts'
import { describeLogDirs } from './describe-log-dirs.ts'
import { describeProducers } from './describe-producers.ts'
import { describeQuorum } from './describe-quorum.ts'
import { describeTopicPartitions } from './describe-topic-partitions.ts'
import { electLeaders } from './elect-leaders.ts'
import { fetch } from './fetch.ts'
import { findCoordinator } from './find-coordinator.ts'
import { initProducerId } from './init-producer-id.ts'
import { listConfigResources } from './list-config-resources.ts'
import { listOffsets } from './list-offsets.ts'
import { listPartitionReassignments } from './list-partition-reassignments.ts'
import { metadata } from './metadata.ts'
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { produce } from './produce.ts'
import { removeRaftVoter } from './remove-raft-voter.ts'
import { unregisterBroker } from './unregister-broker.ts'
import { updateFeatures } from './update-features.ts'

/** One handler for each API that has a codec: an API without one would not compile. */
export function createHandlers(ports: Ports): Handler[] {
  const handlers: { [A in keyof typeof apis]: Handler } = {
    produce: produce(ports),
    fetch: fetch(ports),
    listOffsets: listOffsets(ports),
    metadata: metadata(ports),
    findCoordinator: findCoordinator(),
    apiVersions: apiVersions(ports),
    createTopics: createTopics(ports),
    deleteTopics: deleteTopics(ports),
    deleteRecords: deleteRecords(ports),
    initProducerId: initProducerId(ports),
    offsetForLeaderEpoch: offsetForLeaderEpoch(ports),
    describeConfigs: describeConfigs(ports),
    alterConfigs: alterConfigs(ports),
    describeLogDirs: describeLogDirs(ports),
    createPartitions: createPartitions(ports),
    electLeaders: electLeaders(ports),
    incrementalAlterConfigs: incrementalAlterConfigs(ports),
    alterPartitionReassignments: alterPartitionReassignments(ports),
    listPartitionReassignments: listPartitionReassignments(ports),
    describeQuorum: describeQuorum(ports),
    updateFeatures: updateFeatures(ports),
    describeCluster: describeCluster(ports),
    describeProducers: describeProducers(ports),
    unregisterBroker: unregisterBroker(ports),
    listConfigResources: listConfigResources(ports),
    describeTopicPartitions: describeTopicPartitions(ports),
    addRaftVoter: addRaftVoter(ports),
    removeRaftVoter: removeRaftVoter(ports),
  }
  return Object.values(handlers)
}
