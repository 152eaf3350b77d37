// Our client and our command line on Apache Kafka's quorum: one voter, and a broker beside it that becomes one and is lost again.
import { type Client, connect, NaruError } from '@naru/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApacheKafka } from '../support/apache-kafka.ts'
import { hasJavaTools } from '../support/java-tools.ts'
import { naru } from '../support/naru.ts'

const strangeDirectory = 'AAAAAAAAAAAAAAAAAAAAEA'

describe.skipIf(!hasJavaTools())('the quorum of Apache Kafka', () => {
  let first: ApacheKafka
  let second: ApacheKafka
  let client: Client

  beforeAll(async () => {
    first = await ApacheKafka.start([
      'broker.session.timeout.ms=2000',
      'broker.heartbeat.interval.ms=300',
    ])
    second = await first.join(2)
    client = await connect(first.bootstrap)
    await until(async () => (await client.admin.cluster.describe()).brokers.length === 2)
  })

  afterAll(async () => {
    await client?.[Symbol.asyncDispose]()
    await second?.[Symbol.asyncDispose]()
    await first?.[Symbol.asyncDispose]()
  })

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 30_000
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error('Waited in vain')
    }
  }

  /** The name of Kafka's error. */
  async function refused(attempt: Promise<unknown>): Promise<string | undefined> {
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return NaruError.is(error, 'NARU_BROKER') ? error.kafka?.name : String(error)
  }

  async function command(...args: readonly string[]) {
    const ended = await naru(args, { env: { NARU_BOOTSTRAP: first.bootstrap } })
    return { ...ended, json: () => JSON.parse(ended.stdout) }
  }

  const endpointOf = ({ controllerPort }: ApacheKafka) => {
    return { listener: 'CONTROLLER', host: '127.0.0.1', port: controllerPort }
  }

  it('describes the cluster and the quorum', async () => {
    const { clusterId, controller, brokers } = await client.admin.cluster.describe()
    expect(clusterId).toMatch(/^[\w-]{22}$/)
    expect([1, 2]).toContain(controller)
    expect(brokers.map(({ nodeId, isFenced }) => [nodeId, isFenced])).toEqual([
      [1, false],
      [2, false],
    ])
    const quorum = await client.admin.cluster.quorum()
    expect(quorum).toMatchObject({ leader: 1, voters: [{ nodeId: 1 }], observers: [{ nodeId: 2 }] })
    expect(quorum.leaderEpoch).toBeGreaterThan(0)
    expect(quorum.highWatermark).toBeGreaterThan(0n)
    expect(quorum.nodes).toEqual([{ nodeId: 1, endpoints: [endpointOf(first)] }])
    const [leader, observer] = [quorum.voters[0], quorum.observers[0]]
    for (const replica of [leader, observer]) {
      expect(replica?.directoryId).toMatch(/^[\w-]{22}$/)
      expect(replica?.logEnd).toBeGreaterThan(0n)
      expect(replica?.lastContactMs).toBeGreaterThan(Date.now() - 60_000)
      expect(replica?.caughtUpMs).toBeGreaterThan(Date.now() - 60_000)
    }
  })

  it('lists features and updates them, all or none', async () => {
    const { cluster } = client.admin
    const level = async (name: string) =>
      (await cluster.features()).find(({ feature }) => feature === name)?.level
    const groups = await level('group.version')
    expect(groups).toBe(1)
    expect(await level('metadata.version')).toBeGreaterThanOrEqual(30)
    const away = { feature: 'group.version', level: 0 }
    expect(await refused(cluster.updateFeatures([away]))).toBe('INVALID_UPDATE_VERSION')
    const unknown = { feature: 'no.such', level: 1 }
    const lowered = { ...away, kind: 'safe-downgrade' } as const
    expect(await refused(cluster.updateFeatures([lowered, unknown]))).toBe('INVALID_UPDATE_VERSION')
    await cluster.updateFeatures([lowered], { validateOnly: true })
    expect(await level('group.version')).toBe(1)
    await cluster.updateFeatures([lowered])
    await until(async () => (await level('group.version')) === undefined)
    await cluster.updateFeatures([{ feature: 'group.version', level: 1 }])
    await until(async () => (await level('group.version')) === 1)
  })

  it('says why a voter cannot be added or removed', async () => {
    const { cluster } = client.admin
    const [leader] = (await cluster.quorum()).voters
    const known = { nodeId: 1, directoryId: leader?.directoryId as string }
    const strange = { nodeId: 1, directoryId: strangeDirectory }
    const endpoints = [endpointOf(first)]
    expect(await refused(cluster.addVoter(known, endpoints))).toBe('DUPLICATE_VOTER')
    expect(await refused(cluster.removeVoter(strange))).toBe('VOTER_NOT_FOUND')
    expect(await refused(cluster.removeVoter({ ...known, nodeId: 9 }))).toBe('VOTER_NOT_FOUND')
    expect(await refused(cluster.unregisterBroker(9))).toBe('BROKER_ID_NOT_REGISTERED')
  })

  it('naru quorum: adds the broker that follows, shows it, takes its vote away', async () => {
    const endpoint = ['--endpoint', `CONTROLLER://127.0.0.1:${second.controllerPort}`]
    const dry = await command('quorum', 'add', '2', '--dry-run', '--format', 'json')
    expect(dry.json()).toMatchObject({ applied: false, items: [{ id: 2, voters: [1, 2] }] })
    const added = await command('quorum', 'add', '2', ...endpoint)
    expect(added).toMatchObject({ code: 0, stderr: '' })
    expect(added.stdout).toMatch(/^✓ added voter 2 · directory [\w-]{22}\n {2}voters 1, 2\n$/)
    const { stdout } = await command('quorum', 'status')
    expect(stdout).toMatch(/^leader 1 · term \d+ · high watermark \d+ · \d\/2 voters caught up\n/)
    expect(stdout).toMatch(/^ 1 {2}leader +[\w-]{22} +\d+ +0 +\d+ m?s ago +\d+ m?s ago$/m)
    const status = (await command('quorum', 'status', '--format', 'json')).json()
    expect(status.items[0].replicas.map(({ role }: { role: string }) => role)).toEqual([
      'leader',
      'voter',
    ])
    const twice = await command('quorum', 'add', '2', '--dry-run')
    expect(twice.code).toBe(1)
    expect(twice.stderr).toContain('it is one (DUPLICATE_VOTER, 126)')
    const unknown = await command('quorum', 'add', '9')
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain('Start node 9 first')
    const unconfirmed = await command('quorum', 'remove', '2')
    expect(unconfirmed.code).toBe(5)
    expect(unconfirmed.stderr).toContain('leaves 1 voter, of which none may fail')
    const removed = await command('quorum', 'remove', '2', '--yes', '--format', 'json')
    expect(removed.json()).toMatchObject({ applied: true, items: [{ id: 2, voters: [1] }] })
    expect((await client.admin.cluster.quorum()).observers).toMatchObject([{ nodeId: 2 }])
    const again = await command('quorum', 'remove', '2', '--yes')
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('(VOTER_NOT_FOUND, 127)')
  })

  it('naru cluster health: 0, and 10 with the reason when a broker is lost', async () => {
    await client.admin.createTopic('both', { partitions: 2, replicas: 2 })
    const well = await command('cluster', 'health', '--until', 'healthy', '--timeout', '20s')
    expect(well).toMatchObject({ code: 0, stderr: '' })
    expect(well.stdout).toMatch(/^Healthy: leader 1, 1\/1 voters caught up; 2 of 2 brokers alive;/)
    await second.kill()
    await until(async () => (await client.admin.cluster.describe()).brokers[1]?.isFenced ?? false)
    const ill = await command('cluster', 'health', '--format', 'json')
    expect(ill.code).toBe(10)
    expect(ill.json()).toMatchObject({
      healthy: false,
      items: [
        { check: 'quorum', status: 'ok' },
        { check: 'brokers', status: 'failing', detail: '1 of 2 brokers alive (down: 2)' },
        { check: 'offline-partitions', status: 'ok' },
        { check: 'under-replicated-partitions', status: 'failing' },
      ],
    })
    const waited = await command('cluster', 'health', '--until', 'healthy', '--timeout', '1s')
    expect(waited.code).toBe(4)
    expect(waited.stderr).toContain('did not become healthy in 1000 ms. Unhealthy: 1 of 2 brokers')
    const { stdout } = await command('broker', 'list', '--format', 'tsv')
    expect(stdout).toMatch(/^2\t127\.0\.0\.1:\d+\tfenced\t(yes|no)\t0\t2\t0\t-$/m)
    const described = await command('broker', 'describe', '2', '--format', 'tsv')
    expect(described.stdout).toBe('both\t0\tout-of-sync\nboth\t1\tout-of-sync\n')
  })

  it('unregisters a broker that is lost', async () => {
    await client.admin.deleteTopic('both')
    await client.admin.cluster.unregisterBroker(2)
    await until(async () => (await client.admin.cluster.describe()).brokers.length === 1)
    const { code, stdout } = await command('cluster', 'info', '--format', 'name')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' })
  })
})
