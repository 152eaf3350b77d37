import { type Client, NaruError, type QuorumView } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import {
  type ClusterState,
  type HealthCheck,
  healthChecks,
  healthSentence,
  isHealthy,
} from '../health-checks.ts'
import { type Format, printRows, table, type View } from '../output.ts'
import { styled } from '../style.ts'

export interface HealthOptions extends ConnectionOptions {
  /** Ask again until it is healthy, and no longer than `timeout`. */
  readonly until?: 'healthy'
}

/** Between two questions while it is waited for. */
const pauseMs = 250

export const view: View<HealthCheck> = {
  kind: 'ClusterHealth',
  name: ({ check }) => check,
  fields: [
    { name: 'check', type: 'string', value: ({ check }) => check },
    { name: 'status', type: 'string', value: ({ status }) => status },
    { name: 'detail', type: 'string', value: ({ detail }) => detail },
  ],
}

export async function run(options: HealthOptions): Promise<void> {
  const { format } = options
  const checks = options.until === undefined ? await ask(options) : await askUntilHealthy(options)
  const healthy = isHealthy(checks)
  const text = () => textOf(checks, format)
  await printRows(view, checks, { format, text, document: { healthy } })
  if (!healthy) process.exitCode = exitCodes.unhealthy
}

function ask(options: ConnectionOptions): Promise<HealthCheck[]> {
  return withClient(options, 'tell the health of the cluster', async (client) => {
    const quorum = await quorumOf(client)
    const cluster = await client.admin.cluster.describe()
    const topics = await client.admin.listTopics()
    return healthChecks({ quorum, cluster, topics, nowMs: Date.now() })
  })
}

/** A quorum without an answer is the finding, not a failure to find. */
async function quorumOf({ admin }: Client): Promise<ClusterState['quorum']> {
  try {
    return (await admin.cluster.quorum()) satisfies QuorumView
  } catch (error) {
    if (!NaruError.is(error)) throw error
    const isUnsupported =
      error.code === 'NARU_UNSUPPORTED' || error.kafka?.name === 'UNSUPPORTED_VERSION'
    if (isUnsupported) return { why: 'the quorum cannot be asked', isFailure: false }
    if (error.code !== 'NARU_BROKER' && error.code !== 'NARU_TIMEOUT') throw error
    const isLeaderless = error.kafka?.name === 'REQUEST_TIMED_OUT'
    const why = isLeaderless ? 'no leader' : `no leader answers: ${error.message}`
    return { why, isFailure: true }
  }
}

/** A cluster that cannot be reached yet may become so too: every failure but the last is waited out. */
async function askUntilHealthy(options: HealthOptions): Promise<HealthCheck[]> {
  const deadline = performance.now() + options.timeout
  for (;;) {
    const leftMs = Math.max(1, Math.ceil(deadline - performance.now()))
    const asked = await ask({ ...options, timeout: leftMs }).catch(askedInVain)
    if (!(asked instanceof Failure) && isHealthy(asked)) return asked
    if (deadline - performance.now() < pauseMs) throw notInTime(asked, options)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

function askedInVain(error: unknown): Failure {
  if (error instanceof Failure && error.exitCode !== exitCodes.usage) return error
  throw error
}

function notInTime(asked: Failure | readonly HealthCheck[], { timeout }: HealthOptions): Failure {
  const last = asked instanceof Failure ? asked.message : healthSentence(asked)
  const where = asked instanceof Failure ? asked.where : undefined
  const message = `The cluster did not become healthy in ${timeout} ms. ${last}`
  const hint = 'Wait longer with --timeout; `naru cluster health` shows each check'
  return new Failure('REQUEST_TIMEOUT', message, { exitCode: exitCodes.timedOut, where, hint })
}

function textOf(checks: readonly HealthCheck[], format: Format): string {
  const sentence = healthSentence(checks)
  return `${styled(isHealthy(checks) ? 'green' : 'yellow', sentence)}\n\n${table(view, checks, format)}`
}
