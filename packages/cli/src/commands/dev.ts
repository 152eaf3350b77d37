import { fileURLToPath } from 'node:url'
import { planBrokers, writeFiles } from '../dev/broker-places.ts'
import { howItEnded, jsonReport, lastWords, textReport } from '../dev/dev-report.ts'
import { brokerCount, findBrokers } from '../dev/found-brokers.ts'
import { type BrokerEnd, LocalCluster, type Ready } from '../dev/local-cluster.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { fromHere } from '../working-directory.ts'

export interface DevOptions {
  /** Undefined for as many as before, or three. */
  readonly brokers?: number
  /** Undefined for those that the configurations have, or Kafka's at the first start. */
  readonly port?: number
  readonly directory: string
  readonly json?: boolean
}

const entrance = fileURLToPath(new URL('../../bin/naru.js', import.meta.url))
/** After this a person is told on whom it waits. */
const overdueMs = 10_000
const stopMsMax = 30_000

/** Runs brokers of this machine as child processes, and says what can be done with them. */
export async function dev(options: DevOptions): Promise<void> {
  const startedAt = performance.now()
  const elapsedMs = () => performance.now() - startedAt
  const directory = fromHere(options.directory)
  const found = findBrokers(directory)
  const count = brokerCount(directory, found, options.brokers)
  const places = planBrokers(directory, found, { count, port: options.port })
  writeFiles(places)
  const report = options.json === true ? jsonReport(directory) : textReport(directory)
  let isStopping = false
  const stopAsked = stopRequested()
  const cluster = new LocalCluster(places, {
    entrance,
    onReady: (ready) => report.brokerReady(ready, elapsedMs()),
    onEnd: (end, running) => {
      if (!isStopping) report.ended(end, running)
    },
  })
  report.begins()
  const overdue = setTimeout(() => report.overdue(cluster.waitedFor), overdueMs)
  let outcome = await Promise.race([cluster.started(), stopAsked])
  clearTimeout(overdue)
  if (outcome.state === 'ready') {
    const hasGrown = found.length > 0 && count > found.length
    report.allReady(await (hasGrown ? grown(outcome.brokers) : outcome.brokers), elapsedMs())
    outcome = await Promise.race([cluster.over(), stopAsked])
  }
  isStopping = true
  const { ends, killed } = await cluster.stop(stopMsMax)
  if (outcome.state === 'ended') throw brokerEnded(outcome.end, count)
  refuseBadEnds(ends, killed, count)
  report.stopped()
  process.exit(exitCodes.ok)
}

/** The client is loaded for this only. */
async function grown(brokers: readonly Ready[]): Promise<readonly Ready[]> {
  const { giveVotes } = await import('../dev/grown-quorum.ts')
  return giveVotes(brokers)
}

/** On a terminal Ctrl-C may arrive twice, once from the terminal and once from npm: the second means no more than the first. */
function stopRequested(): Promise<{ readonly state: 'stop' }> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve({ state: 'stop' }))
    }
  })
}

/** A terminal interrupts the brokers too; while one is still starting, that ends it by the signal. */
function refuseBadEnds(ends: readonly BrokerEnd[], killed: readonly number[], count: number): void {
  if (killed.length > 0) {
    const message = `Broker ${killed.join(', ')} did not stop in ${stopMsMax / 1000} s and was killed`
    throw new Failure('BROKER_KILLED', message)
  }
  const failed = ends.find(({ code }) => code !== 0 && code !== null)
  if (failed !== undefined) throw brokerEnded(failed, count)
}

function brokerEnded(end: BrokerEnd, count: number): Failure {
  const name = count === 1 ? 'The broker' : `Broker ${end.nodeId}`
  const hint = `It said\n${lastWords(end)}`
  return new Failure('BROKER_ENDED', `${name} ended ${howItEnded(end)}`, { hint })
}
