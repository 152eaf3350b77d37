// Kafka's own tools on three real brokers: each of them answers for the cluster.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apis } from '@naru/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { hasJavaTools, javaTool } from '../support/java-tools.ts'
import { TestCluster } from '../support/test-cluster.ts'

describe.skipIf(!hasJavaTools())("Kafka's tools on three brokers", () => {
  let cluster: TestCluster
  let controller: ClusterBroker
  let other: ClusterBroker
  const at = ({ bootstrap }: ClusterBroker) => ['--bootstrap-server', bootstrap]

  beforeAll(async () => {
    cluster = await TestCluster.start()
  })

  beforeEach(findLeader)

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
  })

  async function findLeader(): Promise<void> {
    controller = await cluster.controller()
    other = cluster.others(controller)[0] as ClusterBroker
  }

  /** Again where a busy machine has had another leader elected meanwhile; what fails under one leader has failed. */
  async function underOneLeader(check: () => Promise<void>): Promise<void> {
    for (let tries = 0; ; tries++) {
      await findLeader()
      const before = await cluster.quorumSeenBy(controller)
      try {
        await check()
        return
      } catch (error) {
        const after = await cluster.quorumSeenBy(await cluster.controller())
        if (after?.leaderEpoch === before?.leaderEpoch || tries === 3) throw error
      }
    }
  }

  it('metadata-quorum: three voters, the same leader and term at each broker', () =>
    underOneLeader(async () => {
      const quorum = await cluster.quorumSeenBy(controller)
      for (const broker of cluster.brokers) {
        const text = await javaTool('metadata-quorum', [...at(broker), 'describe', '--status'])
        const lines = Object.fromEntries(text.trim().split('\n').map(labelled))
        expect(lines).toMatchObject({
          ClusterId: expect.stringMatching(/^[\w-]{22}$/),
          LeaderId: String(controller.id),
          LeaderEpoch: String(quorum?.leaderEpoch),
          MaxFollowerLag: '0',
          CurrentObservers: '[]',
        })
        expect(Number(lines['HighWatermark'])).toBeGreaterThan(0)
        const voters: { id: number; directoryId: string; endpoints: string[] }[] = JSON.parse(
          lines['CurrentVoters'] ?? '',
        )
        const places = cluster.brokers.map(({ id, internalPort }) => {
          return [id, [`NARU.INTERNAL://127.0.0.1:${internalPort}`]]
        })
        expect(voters.map(({ id, endpoints }) => [id, endpoints]).sort()).toEqual(places)
        expect(new Set(voters.map(({ directoryId }) => directoryId)).size).toBe(3)
      }
    }))

  it('metadata-quorum: how far each replica has come', () =>
    underOneLeader(async () => {
      const text = await javaTool('metadata-quorum', [...at(other), 'describe', '--replication'])
      const rows = text.trim().split('\n').slice(1)
      const cells = rows.map((row) => row.split(/\s+/).filter((cell) => cell !== ''))
      const roles = cells.map(([id, , , lag, , , role]) => `${id} ${role} ${lag}`)
      expect(roles.sort()).toEqual(
        [1, 2, 3].map((id) => `${id} ${id === controller.id ? 'Leader' : 'Follower'} 0`),
      )
    }))

  it('metadata-quorum: takes a vote, and gives it back', async () => {
    const quorum = await cluster.quorumSeenBy(controller)
    const voter = quorum?.currentVoters.find(({ replicaId }) => replicaId === other.id)
    const remove = (directoryId: string) => {
      const which = ['--controller-id', String(other.id), '--controller-directory-id', directoryId]
      return javaTool('metadata-quorum', [...at(other), 'remove-controller', ...which])
    }
    await expect(remove('AAAAAAAAAAAAAAAAAAAAEA')).rejects.toThrow('VoterNotFoundException')
    await remove(voter?.replicaDirectoryId ?? '')
    await eventually('it is an observer', async () => {
      const seen = await cluster.quorumSeenBy(controller)
      return seen?.observers.some(({ replicaId }) => replicaId === other.id) || undefined
    })
    const add = ['--command-config', controllerFile(other), 'add-controller']
    await javaTool('metadata-quorum', [...at(controller), ...add])
    const after = await cluster.quorumSeenBy(controller)
    expect(after?.currentVoters.map(({ replicaId }) => replicaId).sort()).toEqual([1, 2, 3])
    const again = javaTool('metadata-quorum', [...at(controller), ...add])
    await expect(again).rejects.toThrow('DuplicateVoterException')
  })

  it('topics and configs, by way of a broker that does not lead', async () => {
    const topic = ['--topic', 'made']
    const topics = (...args: string[]) => javaTool('topics', [...at(other), ...args, ...topic])
    await topics('--create', '--partitions', '3', '--replication-factor', '1')
    const shown = await javaTool('topics', [...at(controller), '--describe', ...topic])
    expect(shown).toContain('PartitionCount: 3')
    await expect(topics('--create')).rejects.toThrow('TopicExistsException')
    const entity = ['--entity-type', 'topics', '--entity-name', 'made']
    const change = ['--alter', '--add-config', 'retention.ms=99000']
    await javaTool('configs', [...at(other), ...entity, ...change])
    const described = await javaTool('configs', [...at(controller), ...entity, '--describe'])
    expect(described).toContain('retention.ms=99000')
    const brokers = ['--entity-type', 'brokers', '--entity-name', String(controller.id), '--all']
    // A broker is asked for its configuration by itself: the tool finds it.
    expect(await javaTool('configs', [...at(other), ...brokers, '--describe'])).toContain(
      `node.id=${controller.id}`,
    )
  })

  it('broker-api-versions and cluster know all brokers', async () => {
    const versions = await javaTool('broker-api-versions', at(other))
    for (const { kafkaPort } of cluster.brokers) {
      expect(versions).toContain(`127.0.0.1:${kafkaPort} (id: `)
    }
    expect(versions).not.toContain('ERROR')
    const ids = await Promise.all(
      cluster.brokers.map((broker) => javaTool('cluster', ['cluster-id', ...at(broker)])),
    )
    expect(new Set(ids).size).toBe(1)
    const unregister = ['unregister', ...at(other), '--id', '9']
    await expect(javaTool('cluster', unregister)).rejects.toThrow('Broker 9 is not registered')
  })

  it('leader-election and reassign: begin, list, take back, and leave no limits behind', async () => {
    const election = (...args: string[]) =>
      javaTool('leader-election', [...at(other), '--election-type', ...args])
    const assignment = (name: string, replicas: number[]) => {
      const file = join(cluster.directory, `${name}-${replicas}.json`)
      const partitions = [{ topic: name, partition: 0, replicas }]
      writeFileSync(file, JSON.stringify({ version: 1, partitions }))
      return ['--reassignment-json-file', file]
    }
    const reassign = (...args: string[]) => javaTool('reassign', [...at(other), ...args])
    const topics = (...args: string[]) => javaTool('topics', [...at(other), ...args])
    await topics('--create', '--topic', 'spread', '--replica-assignment', '1:2:3')
    const swap = assignment('spread', [2, 1, 3])
    const one = ['--topic', 'spread', '--partition', '0'] as const
    expect(await election('preferred', ...one)).toContain('Valid replica already elected')
    expect(await reassign('--execute', ...swap)).toContain('Successfully started')
    const verified = await reassign('--verify', ...swap)
    expect(verified).toContain('Reassignment of partition spread-0 is completed')
    expect(verified).toContain('Clearing topic-level throttles on topic spread')
    const elected = await election('preferred', '--all-topic-partitions')
    expect(elected).toMatch(/Successfully completed leader election .* spread-0$/m)
    expect(await election('unclean', ...one)).toContain('Valid replica already elected')

    // Nothing comes to a broker that is down.
    await topics('--create', '--topic', 'pair', '--replica-assignment', '1:2')
    const [third] = cluster.brokers.filter((broker) => broker.id === 3) as [ClusterBroker]
    await third.kill()
    other = cluster.broker(2)
    const away = assignment('pair', [3, 2])
    // The tool would not begin it.
    const moving = { name: 'pair', partitions: [{ partitionIndex: 0, replicas: [3, 2] }] }
    const limits = { timeoutMs: 10_000, allowReplicationFactorChange: true }
    await other.ask(apis.alterPartitionReassignments, 1, { ...limits, topics: [moving] })
    const underWay = 'pair-0: replicas: 3,2,1. adding: 3. removing: 1.'
    expect(await reassign('--list')).toContain(underWay)
    expect(await reassign('--verify', ...away)).toContain('is still in progress')
    // Else it would wait for the broker that is down, to take back limits there.
    const cancelled = await reassign('--cancel', '--preserve-throttles', ...away)
    expect(cancelled).toContain('Successfully cancelled')
    expect(await reassign('--list')).toContain('No partition reassignments found')
    const strange = assignment('pair', [9])
    await expect(reassign('--execute', ...strange)).rejects.toThrow('Unknown broker id 9')
    await third.start()
  })

  it('features: our own beside the one that tools look for', async () => {
    const features = (...args: string[]) => javaTool('features', [...at(other), ...args])
    const shown = await features('describe')
    expect(shown).toMatch(/^Feature: metadata\.version .*FinalizedVersionLevel: 4\.2-IV1 /m)
    expect(shown).toMatch(/^Feature: naru\.version .*FinalizedVersionLevel: 2\s/m)
    // A release has levels for features that are not there: all or none, as with any unknown name in Kafka.
    const release = features('upgrade', '--release-version', '4.3')
    await expect(release).rejects.toThrow('the controller does not know this feature')
    await features('upgrade', '--feature', 'metadata.version=30')
    expect(await features('describe')).toMatch(/metadata\.version.*FinalizedVersionLevel: 4\.3-IV0/)
  })
})

/** What the tool reads of a controller: a configuration in Kafka's words, and the `meta.properties` of our own directory. */
function controllerFile({ id, directory, dataDirectory, internalPort }: ClusterBroker): string {
  const listener = `INTERNAL://127.0.0.1:${internalPort}`
  const settings = [
    'process.roles=controller',
    `node.id=${id}`,
    'controller.listener.names=INTERNAL',
    `listeners=${listener}`,
    `advertised.listeners=${listener}`,
    `log.dirs=${dataDirectory}`,
  ]
  const file = join(directory, 'controller.properties')
  writeFileSync(file, settings.join('\n'))
  return file
}

/** `LeaderId:   2` as its two parts. */
function labelled(line: string): [string, string] {
  const [label = '', ...rest] = line.split(':')
  return [label, rest.join(':').trim()]
}
