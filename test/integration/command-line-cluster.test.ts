// The commands about the cluster itself, by the real program against a real broker.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { type Ended, naru } from '../support/naru.ts'

let broker: BrokerProcess

beforeAll(async () => {
  broker = await BrokerProcess.start()
  await ok('topic', 'create', 'sales', '-p', '3')
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

function run(...args: readonly string[]): Promise<Ended> {
  return naru(args, { env: { NARU_BOOTSTRAP: broker.bootstrap } })
}

/** What a command that succeeds prints. */
async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}

async function itemOf(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await ok(...args, '--format', 'json')).items[0]
}

describe('naru cluster', () => {
  it('id: the id and nothing else', async () => {
    expect(await ok('cluster', 'id')).toMatch(/^[\w-]{22}\n$/)
  })

  it('info: controller, brokers, how much there is', async () => {
    const id = (await ok('cluster', 'id')).trim()
    expect(await ok('cluster', 'info')).toBe(
      [
        `cluster ${id} · controller 1 · 1 broker · 1 topic · 3 partitions`,
        '',
        `ID  ADDRESS${' '.repeat(broker.bootstrap.length - 7)}  STATE  CONTROLLER  LEADS  REPLICAS  IN SYNC`,
        ` 1  ${broker.bootstrap}  alive  yes             3         3        3`,
        '',
      ].join('\n'),
    )
    expect(await itemOf('cluster', 'info')).toEqual({
      clusterId: id,
      controller: 1,
      topics: 1,
      partitions: 3,
      brokers: [await itemOf('broker', 'list')],
    })
  })

  it('features: the level in use and what the broker can do', async () => {
    const features = JSON.parse(await ok('cluster', 'features', '--format', 'json')).items
    expect(features).toContainEqual({
      feature: 'metadata.version',
      level: expect.any(Number),
      supportedMin: 7,
      supportedMax: 31,
    })
  })

  it('health: a sentence, each check, 0', async () => {
    expect(await ok('cluster', 'health')).toMatch(/^Healthy: .*1 of 1 broker alive; 0 of 3 part/)
    const document = JSON.parse(await ok('cluster', 'health', '--format', 'json'))
    expect(document).toMatchObject({
      kind: 'ClusterHealth',
      healthy: true,
      items: [
        { check: 'quorum' },
        { check: 'brokers', status: 'ok', detail: '1 of 1 broker alive' },
        { check: 'offline-partitions', status: 'ok', detail: '0 of 3 partitions offline' },
        { check: 'under-replicated-partitions', status: 'ok' },
      ],
    })
  })

  it('health --until healthy waits for a cluster that cannot be reached, and not for ever', async () => {
    const { port } = broker
    await broker.kill()
    const waited = await run('cluster', 'health', '--until', 'healthy', '--timeout', '1s')
    expect(waited.code).toBe(4)
    expect(waited.stderr).toContain('did not become healthy in 1000 ms')
    expect(waited.stderr).toContain(`127.0.0.1:${port} refused the connection`)
    const waiting = ok('cluster', 'health', '--until', 'healthy', '--timeout', '30s')
    await broker.restart()
    expect(await waiting).toMatch(/^Healthy:/)
    expect((await run('cluster', 'health', '-b', 'localhost:1')).code).toBe(3)
  })
})

describe('naru broker', () => {
  it('list: what each one is and has', async () => {
    expect(await itemOf('broker', 'list')).toEqual({
      id: 1,
      address: broker.bootstrap,
      state: 'alive',
      controller: 'yes',
      leads: 3,
      replicas: 3,
      inSync: 3,
      rack: null,
    })
    expect(await ok('broker', 'list', '--format', 'name')).toBe('1\n')
  })

  it('describe: its replicas', async () => {
    expect(await ok('broker', 'describe', '1')).toBe(
      [
        `broker 1 · ${broker.bootstrap} · alive · controller · leads 3 of 3 partitions`,
        '',
        'TOPIC  PARTITION  ROLE',
        'sales          0  leader',
        'sales          1  leader',
        'sales          2  leader',
        '',
      ].join('\n'),
    )
    const unknown = await run('broker', 'describe', '7')
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('(BROKER_ID_NOT_REGISTERED, 102)')
    expect(unknown.stderr).toContain('hint: Brokers are 1')
  })
})

describe('command lines', () => {
  it.each([
    [['quorum', 'add', 'x'], 'id takes a whole number from 0'],
    [['quorum', 'transfer', '-1'], 'id takes a whole number from 0'],
    [['quorum', 'add'], "Missing required argument 'id'"],
    [['quorum', 'add', '2', '--endpoint', 'here:1'], '--endpoint takes NAME://host:port'],
    [['quorum', 'add', '2', '--endpoint', 'A://h:0'], '--endpoint takes NAME://host:port'],
    [['quorum', 'stauts'], "Unknown command 'stauts'"],
    [['cluster', 'health', '--until', 'green'], 'Allowed choices are healthy'],
    [['events', '--since', 'yesterday'], '--since takes a time like'],
    [['broker', 'describe', '-1'], 'id takes a whole number from 0'],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  it.each([
    [['quorum', 'status'], 'replicas[].lag'],
    [['quorum', 'add'], 'directoryId'],
    [['quorum', 'remove'], 'isLeader'],
    [['quorum', 'transfer'], 'before'],
    [['broker', 'list'], 'inSync'],
    [['broker', 'describe'], 'partitions[].role'],
    [['cluster', 'info'], 'brokers[].state'],
    [['cluster', 'health'], 'detail'],
    [['cluster', 'id'], 'clusterId'],
    [['cluster', 'features'], 'supportedMax'],
    [['events'], 'details'],
  ])('help of the formats of %j', async (command, field) => {
    const text = await ok(...command, '--format', 'help')
    expect(text).toMatch(new RegExp(`^${RegExp.escape(field)} `, 'm'))
  })

  it('the examples in the help of cluster and broker work', async () => {
    const commands = ['info', 'health', 'id', 'features'].map((name) => ['cluster', name])
    for (const command of [...commands, ['broker', 'list'], ['broker', 'describe']]) {
      const help = await ok(...command, '--help')
      const lines = [...help.matchAll(/^ {2}\$ naru (.*)$/gm)].map((match) => match[1] as string)
      expect(lines.length).toBeGreaterThan(0)
      for (const line of lines) await ok(...line.split(' '))
    }
  })
})
