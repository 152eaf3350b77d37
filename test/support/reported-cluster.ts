import { onTestFailed } from 'vitest'
import { type ClusterOptions, TestCluster } from './test-cluster.ts'

/** A cluster whose brokers' logs are printed when the test fails. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start(options)
  onTestFailed(() => console.error(cluster.report))
  return cluster
}

/** The same, before anything runs. */
export async function prepareCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.prepare(options)
  onTestFailed(() => console.error(cluster.report))
  return cluster
}
