// What one of three brokers says when the two others are gone: what it has it tells, what it cannot do it says.
import { apis } from '@naru/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { naru } from '../support/naru.ts'
import { TestCluster } from '../support/test-cluster.ts'

let cluster: TestCluster
let last: ClusterBroker

beforeAll(async () => {
  cluster = await TestCluster.start()
  const controller = await cluster.controller()
  const [first, second] = cluster.others(controller) as [ClusterBroker, ClusterBroker]
  last = first
  const made = await run('topic', 'create', 'kept', '-p', '2')
  expect(made).toMatchObject({ code: 0, stderr: '' })
  await second.kill()
  await controller.kill()
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

function run(...args: readonly string[]) {
  return naru([...args, '-b', last.bootstrap])
}

it('lists topics from its copy', async () => {
  const { code, stdout } = await run('topic', 'list', '--format', 'name')
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'kept\n' })
})

it.each([
  [['topic', 'create', 'new'], 'Cannot create topic new'],
  [['quorum', 'status'], 'Cannot describe the quorum'],
  [['quorum', 'add', '4'], 'Cannot describe the quorum'],
])('%j: not in time, and why', async (command, what) => {
  const { code, stdout, stderr } = await run(...command)
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
  expect(stderr).toMatch(new RegExp(`^✗ ${what}: No controller answered in \\d+ ms: does a major`))
  expect(stderr).toContain('hint: `naru cluster health` shows what is wrong')
  expect(stderr).toContain('code: KAFKA-7 ')
})

it('does not wait longer for a change of features than it was told to', async () => {
  const update = { feature: 'metadata.version', maxVersionLevel: 30, upgradeType: 1 }
  const featureUpdates = [{ ...update, allowDowngrade: false }]
  const request = { timeoutMs: 1_234, featureUpdates, validateOnly: false }
  expect(await last.ask(apis.updateFeatures, 2, request)).toMatchObject({
    errorCode: 7,
    errorMessage: 'No controller answered in 1234 ms: does a majority of the voters run?',
  })
})

it('is not healthy, and does not vouch for brokers that nobody watches', async () => {
  const { code, stdout } = await run('cluster', 'health', '--format', 'tsv')
  expect(code).toBe(10)
  expect(stdout).toContain('quorum\tfailing\tno leader\n')
  expect(stdout).toContain('brokers\tunknown\t3 of 3 brokers alive when there was a leader\n')
})

it('has no controller to name', async () => {
  const { code, stdout } = await run('cluster', 'info')
  expect(code).toBe(0)
  expect(stdout).toContain(' · no controller · 3 brokers · ')
})
