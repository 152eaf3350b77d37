/** Topics with three replicas, and what their cluster says of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@naru/client'
import { apis } from '@naru/protocol'
import type { ClusterBroker } from './cluster-broker.ts'
import { eventually } from './eventually.ts'
import { metadata } from './requests.ts'
import type { TestCluster } from './test-cluster.ts'

const metadataVersion = 12

export async function createReplicated(
  cluster: TestCluster,
  topic: string,
  partitions: number,
): Promise<void> {
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  await client.admin.createTopic(topic, { partitions, replicas: 3 })
}

/** The partitions of a topic as a broker that answers shows them. */
export async function partitionsOf(cluster: TestCluster, topic: string) {
  for (const broker of cluster.active) {
    const answer = await broker.ask(apis.metadata, metadataVersion, metadata([topic]))
    const found = answer?.topics[0]
    if (found?.errorCode === 0) return found.partitions
  }
  return undefined
}

/** Whoever leads a partition and runs; waits for that. */
export function leaderOf(
  cluster: TestCluster,
  topic: string,
  partition = 0,
): Promise<ClusterBroker> {
  return eventually(`a leader of ${topic}/${partition}`, async () => {
    const shown = (await partitionsOf(cluster, topic))?.find(
      ({ partitionIndex }) => partitionIndex === partition,
    )
    return cluster.active.find(({ id }) => id === shown?.leaderId)
  })
}

/** Resolves when every replica of the topic is in sync. */
export async function untilWhole(cluster: TestCluster, topic: string): Promise<void> {
  await eventually(`all replicas of ${topic} are in sync`, async () => {
    const shown = await partitionsOf(cluster, topic)
    const isWhole = shown?.every(
      ({ isrNodes, replicaNodes }) => isrNodes.length === replicaNodes.length,
    )
    return isWhole || undefined
  })
}

/** What differs between the files of the replicas of a topic, byte for byte; they hold the same when nothing is written. */
export async function differingReplicas(cluster: TestCluster, topic: string): Promise<string[]> {
  const shown = (await partitionsOf(cluster, topic)) ?? []
  const names = shown.map(({ partitionIndex }) => `${topic}-${partitionIndex}`)
  return names.filter((name) => {
    const copies = cluster.brokers.map(({ dataDirectory }) => segmentsIn(join(dataDirectory, name)))
    return copies.some((copy) => !copy.equals(copies[0] as Buffer))
  })
}

function segmentsIn(directory: string): Buffer {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return Buffer.concat(names.sort().map((name) => readFileSync(join(directory, name))))
}
