import { addRaftVoterApi } from './add-raft-voter.ts'
import { alterConfigsApi } from './alter-configs.ts'
import { alterPartitionReassignmentsApi } from './alter-partition-reassignments.ts'
import { apiVersionsApi } from './api-versions.ts'
import { createPartitionsApi } from './create-partitions.ts'
import { createTopicsApi } from './create-topics.ts'
import { deleteRecordsApi } from './delete-records.ts'
import { deleteTopicsApi } from './delete-topics.ts'
import { describeClusterApi } from './describe-cluster.ts'
import { describeConfigsApi } from './describe-configs.ts'
import { describeLogDirsApi } from './describe-log-dirs.ts'
import { describeProducersApi } from './describe-producers.ts'
import { describeQuorumApi } from './describe-quorum.ts'
import { describeTopicPartitionsApi } from './describe-topic-partitions.ts'
import { electLeadersApi } from './elect-leaders.ts'
import { fetchApi } from './fetch.ts'
import { findCoordinatorApi } from './find-coordinator.ts'
import { incrementalAlterConfigsApi } from './incremental-alter-configs.ts'
import { initProducerIdApi } from './init-producer-id.ts'
import { listConfigResourcesApi } from './list-config-resources.ts'
import { listOffsetsApi } from './list-offsets.ts'
import { listPartitionReassignmentsApi } from './list-partition-reassignments.ts'
import { metadataApi } from './metadata.ts'
import { offsetForLeaderEpochApi } from './offset-for-leader-epoch.ts'
import { produceApi } from './produce.ts'
import { removeRaftVoterApi } from './remove-raft-voter.ts'
import { unregisterBrokerApi } from './unregister-broker.ts'
import { updateFeaturesApi } from './update-features.ts'

/** Every API that has a codec, by key. */
export const apis = {
  produce: produceApi,
  fetch: fetchApi,
  listOffsets: listOffsetsApi,
  metadata: metadataApi,
  findCoordinator: findCoordinatorApi,
  apiVersions: apiVersionsApi,
  createTopics: createTopicsApi,
  deleteTopics: deleteTopicsApi,
  deleteRecords: deleteRecordsApi,
  initProducerId: initProducerIdApi,
  offsetForLeaderEpoch: offsetForLeaderEpochApi,
  describeConfigs: describeConfigsApi,
  alterConfigs: alterConfigsApi,
  describeLogDirs: describeLogDirsApi,
  createPartitions: createPartitionsApi,
  electLeaders: electLeadersApi,
  incrementalAlterConfigs: incrementalAlterConfigsApi,
  alterPartitionReassignments: alterPartitionReassignmentsApi,
  listPartitionReassignments: listPartitionReassignmentsApi,
  describeQuorum: describeQuorumApi,
  updateFeatures: updateFeaturesApi,
  describeCluster: describeClusterApi,
  describeProducers: describeProducersApi,
  unregisterBroker: unregisterBrokerApi,
  listConfigResources: listConfigResourcesApi,
  describeTopicPartitions: describeTopicPartitionsApi,
  addRaftVoter: addRaftVoterApi,
  removeRaftVoter: removeRaftVoterApi,
}
