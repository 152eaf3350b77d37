// What Kafka's own tools make of what our handlers say about a quorum, its brokers and the features.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReplicaStatus } from '@naru/services'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterModel } from '../support/cluster-model.ts'
import { hasJavaTools, javaTool } from '../support/java-tools.ts'

const clusterId = 'X_hdXF_XQKmjkjpNGM9bCA'

function directoryOf(nodeId: number): string {
  return Buffer.alloc(16, nodeId).toString('base64url')
}

function replica(nodeId: number, logEndOffset: bigint): ReplicaStatus {
  const nowMs = Date.now()
  const times = { lastFetchMs: nowMs, lastCaughtUpMs: nowMs }
  return { nodeId, directoryId: directoryOf(nodeId), logEndOffset, ...times }
}

describe.skipIf(!hasJavaTools())("Kafka's tools", () => {
  const model = new ClusterModel(clusterId, {
    leaderId: 2,
    leaderEpoch: 5,
    highWatermark: 98n,
    voters: [replica(2, 100n), replica(1, 100n), replica(3, 60n)],
    observers: [{ ...replica(4, -1n), lastFetchMs: -1, lastCaughtUpMs: -1 }],
    nodes: [{ nodeId: 1, endpoints: [{ listener: 'INTERNAL', host: 'localhost', port: 9291 }] }],
  })
  let at: string[]
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'naru-tools-'))
    model.image.features.set('metadata.version', 30)
    const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, isFenced: nodeId === 3 }))
    at = ['--bootstrap-server', await model.start(brokers)]
  })

  afterAll(async () => {
    await model[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  it('metadata-quorum shows the status', async () => {
    const text = await javaTool('metadata-quorum', [...at, 'describe', '--status'])
    const lines = new Map(text.trim().split('\n').map(labelled))
    expect(Object.fromEntries(lines)).toMatchObject({
      ClusterId: clusterId,
      LeaderId: '2',
      LeaderEpoch: '5',
      HighWatermark: '98',
      MaxFollowerLag: '40',
    })
    const voters = JSON.parse(lines.get('CurrentVoters') ?? '')
    expect(voters).toContainEqual({
      id: 1,
      directoryId: directoryOf(1),
      endpoints: ['INTERNAL://localhost:9291'],
    })
    expect(voters).toHaveLength(3)
    expect(lines.get('CurrentObservers')).toContain(`"directoryId": "${directoryOf(4)}"`)
  })

  it('metadata-quorum shows how far each replica has come', async () => {
    const text = await javaTool('metadata-quorum', [...at, 'describe', '--replication'])
    const rows = text.trim().split('\n').slice(1)
    const cells = rows.map((row) => row.split(/\s+/).filter((cell) => cell !== ''))
    expect(cells.map(([id, , end, lag, , , role]) => [id, end, lag, role])).toEqual([
      ['2', '100', '0', 'Leader'],
      ['1', '100', '0', 'Follower'],
      ['3', '60', '40', 'Follower'],
      ['4', '-1', '101', 'Observer'],
    ])
  })

  it('metadata-quorum removes a controller and adds one', async () => {
    const remove = (nodeId: number, directoryId: string) => {
      const which = ['--controller-id', String(nodeId), '--controller-directory-id', directoryId]
      return javaTool('metadata-quorum', [...at, 'remove-controller', ...which])
    }
    await expect(remove(3, directoryOf(9))).rejects.toThrow('VoterNotFoundException')
    await remove(3, directoryOf(3))
    expect(model.status.voters.map(({ nodeId }) => nodeId)).toEqual([2, 1])
    const add = [...at, '--command-config', controllerFile(4), 'add-controller']
    await javaTool('metadata-quorum', add)
    expect(model.status.voters.map(({ nodeId }) => nodeId)).toEqual([2, 1, 4])
    await expect(javaTool('metadata-quorum', add)).rejects.toThrow('DuplicateVoterException')
  })

  /** The tool reads who the controller is from its configuration and its `meta.properties`. */
  function controllerFile(nodeId: number): string {
    const directory = join(folder, String(nodeId))
    mkdirSync(directory, { recursive: true })
    const identity = [`node.id=${nodeId}`, `cluster.id=${clusterId}`, 'version=1']
    const lines = [...identity, `directory.id=${directoryOf(nodeId)}`]
    writeFileSync(join(directory, 'meta.properties'), lines.join('\n'))
    const listener = `INTERNAL://localhost:929${nodeId}`
    const settings = [
      'process.roles=controller',
      `node.id=${nodeId}`,
      'controller.listener.names=INTERNAL',
      `listeners=${listener}`,
      `advertised.listeners=${listener}`,
      `log.dirs=${directory}`,
    ]
    const file = join(folder, `${nodeId}.properties`)
    writeFileSync(file, settings.join('\n'))
    return file
  }

  it('cluster lists fenced brokers and unregisters one', async () => {
    const list = (...args: string[]) => javaTool('cluster', ['list-endpoints', ...at, ...args])
    expect(await list()).not.toContain(' fenced')
    expect(await list('--include-fenced-brokers')).toMatch(/^3 .* fenced +broker/m)
    const unregister = () => javaTool('cluster', ['unregister', ...at, '--id', '3'])
    expect(await unregister()).toContain('Broker 3 is no longer registered')
    expect(model.image.brokers.has(3)).toBe(false)
    await expect(unregister()).rejects.toThrow('there is no broker 3')
  })

  it('features shows levels, upgrades and downgrades', async () => {
    const features = (...args: string[]) => javaTool('features', [...at, ...args])
    expect(await features('describe')).toMatch(/metadata\.version.*FinalizedVersionLevel: 4\.3-IV0/)
    await features('upgrade', '--feature', 'metadata.version=31', '--dry-run')
    expect(model.updated).toEqual([])
    await features('upgrade', '--feature', 'metadata.version=31')
    await features('downgrade', '--feature', 'metadata.version=30')
    await features('downgrade', '--unsafe', '--feature', 'metadata.version=29')
    const feature = 'metadata.version'
    expect(model.updated).toEqual([
      { feature, level: 31, kind: 'upgrade' },
      { feature, level: 30, kind: 'safe-downgrade' },
      { feature, level: 29, kind: 'unsafe-downgrade' },
    ])
    const unknown = features('upgrade', '--feature', 'group.version=1')
    await expect(unknown).rejects.toThrow('group.version is not known here')
  })
})

/** `LeaderId:   2` as its two parts. */
function labelled(line: string): [string, string] {
  const [label = '', ...rest] = line.split(':')
  return [label, rest.join(':').trim()]
}
