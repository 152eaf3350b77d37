/**
 * What three brokers cost when nobody asks them for anything: seconds of CPU for 100 seconds of time, and memory.
 *
 *     node test/performance/quorum-idle.ts [seconds]
 */
import { cpuSeconds, memory } from '../support/process-usage.ts'
import { TestCluster } from '../support/test-cluster.ts'

const seconds = Number(process.argv[2] ?? 30)
const settleMs = 10_000

await using cluster = await TestCluster.start()
const controller = await cluster.controller()
await pause(settleMs)
await report()

async function report(): Promise<void> {
  const before = cluster.brokers.map(({ process: { pid } }) => cpuSeconds(pid))
  await pause(seconds * 1_000)
  for (const [index, { id, process: own }] of cluster.brokers.entries()) {
    const share = ((cpuSeconds(own.pid) - (before[index] ?? 0)) / seconds) * 100
    const role = id === controller.id ? 'leader' : 'follower'
    const { residentMb } = memory(own.pid)
    console.log(`broker ${id} (${role}): ${share.toFixed(2)} % of a core, ${residentMb} MB`)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
