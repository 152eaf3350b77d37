/** Kafka's own command-line tools, from Maven Central, against any address. */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isInstalled } from './installed.ts'
import { run } from './run.ts'
import { root } from './sources.ts'

const tools = {
  'broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  configs: 'kafka.admin.ConfigCommand',
  'console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  features: 'org.apache.kafka.tools.FeatureCommand',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'producer-perf': 'org.apache.kafka.tools.ProducerPerformance',
  reassign: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  topics: 'org.apache.kafka.tools.TopicCommand',
  'verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
} as const

export const libraries = join(root, 'node_modules', '.cache', 'kafka-tools')

/** Whether the tools can be run; fetches them the first time. */
export function hasJavaTools(): boolean {
  if (!isInstalled('java') || !isInstalled('mvn')) return false
  const done = join(libraries, '.complete')
  if (existsSync(done)) return true
  const pom = join(root, 'test', 'compatibility', 'java', 'pom.xml')
  const goal = 'dependency:copy-dependencies'
  execFileSync('mvn', ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${libraries}`], {
    stdio: 'inherit',
  })
  writeFileSync(done, '')
  return true
}

type Tool = keyof typeof tools

export function javaTool(
  name: Tool,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return run('java', javaArguments(name, args), options)
}

/** What `java` is called with to run a tool. */
export function javaArguments(name: Tool, args: readonly string[]): string[] {
  const jvm = ['-Xmx256M', '-XX:TieredStopAtLevel=1', '-cp', `${libraries}/*`]
  return [...jvm, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', tools[name], ...args]
}
