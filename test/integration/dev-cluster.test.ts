// `naru dev` with several brokers: one cluster, through starts, deaths and growth.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { naru, startNaru } from '../support/naru.ts'
import { freeDevPort } from '../support/ports.ts'

let directory: string
let port: number
let launchers: ReturnType<typeof startNaru>[]

beforeEach(async () => {
  launchers = []
  directory = mkdtempSync(join(tmpdir(), 'naru-dev-cluster-'))
  port = await freeDevPort(3)
})

afterEach(async () => {
  for (const { child } of launchers) child.kill('SIGKILL')
  await Promise.all(launchers.map(({ ended }) => ended))
  rmSync(directory, { recursive: true, force: true })
})

interface Event {
  readonly event: string
  readonly nodeId: number
  readonly pid: number
  readonly clusterId: string
  readonly brokers: readonly number[]
  readonly quorum?: { readonly leaderId: number; readonly voters: readonly number[] }
}

function start(...flags: string[]) {
  const launcher = startNaru(['dev', '--directory', directory, ...flags])
  launchers.push(launcher)
  return launcher
}

/** A launcher that all brokers have answered. */
async function startCluster(...flags: string[]) {
  const { child, ended, until, printed } = start('--json', ...flags)
  await until('cluster-ready')
  const events = () =>
    printed.stdout
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line): Event => JSON.parse(line))
  const readies = events().filter(({ event }) => event === 'ready')
  const stop = async () => {
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(events().at(-1)).toEqual({ event: 'stopped' })
  }
  const cluster = events().find(({ event }) => event === 'cluster-ready')
  const clusterIds = new Set(readies.map(({ clusterId }) => clusterId))
  return { cluster, clusterIds, readies, events, until, stop }
}

it('runs three brokers as one cluster, and the same one again', async () => {
  const first = await startCluster('--port', String(port))
  expect(first.cluster).toMatchObject({ brokers: [1, 2, 3], quorum: { voters: [1, 2, 3] } })
  expect(first.clusterIds.size).toBe(1)
  await naru(['topic', 'create', 'kept', '-b', `localhost:${port + 2}`])
  await first.stop()
  const again = await startCluster()
  expect(again.cluster).toMatchObject({ brokers: [1, 2, 3], quorum: { voters: [1, 2, 3] } })
  expect(again.clusterIds).toEqual(first.clusterIds)
  const list = ['topic', 'list', '-b', `localhost:${port}`, '--format', 'name']
  expect((await naru(list)).stdout).toBe('kept\n')
  await again.stop()
})

it('shows people the brokers and their quorum', async () => {
  const { child, ended, until } = start('-n', '3', '--port', String(port))
  await until('Press Ctrl-C to stop')
  child.kill('SIGINT')
  const { code, stdout } = await ended
  expect(code).toBe(0)
  for (const nodeId of [1, 2, 3]) {
    expect(stdout).toContain(`✓ broker ${nodeId}   kafka localhost:${port + nodeId - 1}`)
  }
  expect(stdout).toMatch(
    /✓ quorum {5}leader [123] · epoch \d+ · 3\/3 voters {8}ready in \d+\.\d s\n/,
  )
  expect(stdout).toContain('stopped; the data stays')
})

it('goes on without a broker that is killed, and says so', async () => {
  const { cluster, readies, until, events, stop } = await startCluster(
    ...['-n', '3', '--port', String(port)],
  )
  const victim = readies.find(({ nodeId }) => nodeId === cluster?.quorum?.leaderId) as Event
  process.kill(victim.pid, 'SIGKILL')
  await until('"event":"ended"')
  expect(events().at(-1)).toMatchObject({
    event: 'ended',
    nodeId: victim.nodeId,
    signal: 'SIGKILL',
  })
  const others = [1, 2, 3].filter((nodeId) => nodeId !== victim.nodeId)
  const bootstrap = others.map((nodeId) => `localhost:${port + nodeId - 1}`).join(',')
  const created = await naru(['topic', 'create', 'after', '-b', bootstrap])
  expect(created.code).toBe(0)
  await stop()
})

it('adds brokers to a cluster that began with one', async () => {
  const alone = await startCluster('-n', '1', '--port', String(port))
  await naru(['topic', 'create', 'kept', '-b', `localhost:${port}`])
  await alone.stop()
  const grown = await startCluster('-n', '3')
  // Any one of three may be lost, as in a cluster that began with three.
  expect(grown.cluster).toMatchObject({ brokers: [1, 2, 3], quorum: { voters: [1, 2, 3] } })
  expect(grown.clusterIds).toEqual(alone.clusterIds)
  const list = ['topic', 'list', '-b', `localhost:${port + 2}`, '--format', 'name']
  expect((await naru(list)).stdout).toBe('kept\n')
  await grown.stop()
  const fewer = await start('-n', '1').ended
  expect(fewer.code).toBe(2)
  expect(fewer.stderr).toContain('has 3')
})

it('ends all when one cannot start, with the reason', async () => {
  const other = net.createServer().listen(port + 1, '127.0.0.1')
  await once(other, 'listening')
  const { code, stdout, stderr } = await start('-n', '3', '--port', String(port)).ended
  other.close()
  expect(code).toBe(1)
  expect(stdout).not.toContain('✓')
  expect(stderr).toContain('✗ Broker 2 ended with code 1')
  expect(stderr).toContain(`Cannot use 127.0.0.1:${port + 1}: EADDRINUSE`)
})

it('stops all when it is interrupted while they start', async () => {
  const { child, ended, until } = start('-n', '3', '--port', String(port))
  await until('data in')
  child.kill('SIGINT')
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
})
