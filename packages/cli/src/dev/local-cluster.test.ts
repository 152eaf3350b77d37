// The launcher's side of several brokers, with a program in their place that does what its file says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type BrokerEnd, LocalCluster } from './local-cluster.ts'

/**
 * `ready`: answers and stops when it is asked to; `brief`: ends when its file changes; `deaf`: does not stop; `mute`: never answers;
 * `bad`: does not start.
 */
const program = `
import { spawn } from 'node:child_process'
import { readFileSync, watch } from 'node:fs'
const [, , command, , file, , setting] = process.argv
const kind = readFileSync(file, 'utf8')
const nodeId = Number(setting.split('=')[1])
const run = () => {
  if (kind === 'brief') watch(file, () => process.exit(4))
  if (kind !== 'mute') process.send({ event: 'ready', nodeId, command })
  if (kind !== 'deaf') process.on('disconnect', () => process.exit(0))
  process.on('message', () => {})
  setInterval(() => {}, 1e9)
}
const fail = () => {
  console.error('x\\n'.repeat(30))
  // The last words come when the end is known.
  const last = "while kill -0 $PPID 2>/dev/null; do :; done; echo '✗ Cannot do it' >&2"
  spawn('sh', ['-c', last], { stdio: 'inherit' }).unref()
  process.exitCode = 3
}
if (kind === 'bad') fail()
else run()
`
let directory: string
let clusters: LocalCluster[]

beforeEach(() => {
  clusters = []
  directory = mkdtempSync(join(tmpdir(), 'naru-local-cluster-'))
  writeFileSync(join(directory, 'program.mjs'), program)
})

afterEach(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop(0)))
  rmSync(directory, { recursive: true, force: true })
})

function start(...kinds: string[]) {
  const ready: number[] = []
  const ends: (BrokerEnd & { running: number })[] = []
  const places = kinds.map((kind, index) => {
    const nodeId = index + 1
    const file = join(directory, `broker-${nodeId}`)
    writeFileSync(file, kind)
    return { nodeId, file, lines: undefined, settings: [`node.id=${nodeId}`] }
  })
  const cluster = new LocalCluster(places, {
    entrance: join(directory, 'program.mjs'),
    onReady: ({ nodeId }) => ready.push(nodeId),
    onEnd: (end, running) => ends.push({ ...end, running }),
  })
  clusters.push(cluster)
  return { cluster, ready, ends }
}

it('is ready when all are, and stops all', async () => {
  const { cluster, ready, ends } = start('ready', 'ready', 'ready')
  expect(cluster.waitedFor).toEqual([1, 2, 3])
  const outcome = await cluster.started()
  expect(outcome).toMatchObject({
    state: 'ready',
    brokers: [1, 2, 3].map((nodeId) => ({ nodeId })),
  })
  expect(ready.sort()).toEqual([1, 2, 3])
  expect(cluster.waitedFor).toEqual([])
  const { killed } = await cluster.stop(10_000)
  expect(killed).toEqual([])
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
})

it('tells which one ended at the start, with its last lines', async () => {
  const { cluster } = start('mute', 'bad', 'mute')
  const outcome = await cluster.started()
  expect(outcome).toMatchObject({ state: 'ended', end: { nodeId: 2, code: 3, signal: null } })
  const { lastLines } = (outcome as { end: BrokerEnd }).end
  expect(lastLines).toHaveLength(20)
  expect(lastLines.at(-1)).toBe('✗ Cannot do it')
})

it('goes on without one that ends later, and is over with the last', async () => {
  const { cluster, ends } = start('ready', 'brief')
  await cluster.started()
  const over = cluster.over()
  writeFileSync(join(directory, 'broker-2'), 'end now')
  await expect.poll(() => ends).toMatchObject([{ nodeId: 2, code: 4, running: 1 }])
  await cluster.stop(10_000)
  expect(await over).toMatchObject({ state: 'ended', end: { nodeId: 1, code: 0 } })
  expect(ends).toMatchObject([{}, { nodeId: 1, running: 0 }])
})

it('kills what does not stop in time, and only that', async () => {
  const { cluster } = start('ready', 'deaf')
  await cluster.started()
  const { ends, killed } = await cluster.stop(500)
  expect(killed).toEqual([2])
  expect(ends).toMatchObject([
    { code: 0, signal: null },
    { code: null, signal: 'SIGKILL' },
  ])
})
