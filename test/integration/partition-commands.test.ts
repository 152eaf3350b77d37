// `naru partition` and what `naru topic describe` says of replicas, by the real program against three brokers, of which some die.
import { apis } from '@naru/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { isInstalled } from '../support/installed.ts'
import { lastingPorts } from '../support/lasting-ports.ts'
import { type Ended, naru, startNaruOnTerminal } from '../support/naru.ts'
import { create, newTopic } from '../support/requests.ts'
import { TestCluster } from '../support/test-cluster.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await TestCluster.prepare()
  const ports = await lastingPorts(3)
  for (const [index, broker] of cluster.brokers.entries()) {
    broker.settings.set('naru.grpc.listeners', `127.0.0.1:${ports[index]}`)
  }
  await cluster.startAll()
  await make('orders', [
    [1, 2, 3],
    [2, 3, 1],
  ])
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

async function make(
  name: string,
  replicas: readonly number[][],
  configs: Record<string, string> = {},
): Promise<void> {
  const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const topic = newTopic(name, { numPartitions: -1, replicationFactor: -1, assignments, configs })
  const answer = await cluster.active[0]?.ask(apis.createTopics, 7, create([topic]))
  expect(answer?.topics[0]?.errorCode).toBe(0)
}

const env = () => ({ NARU_BOOTSTRAP: cluster.active.map(({ bootstrap }) => bootstrap).join(',') })

function run(...args: readonly string[]): Promise<Ended> {
  return naru(args, { env: env() })
}

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}

async function documentOf(...args: readonly string[]) {
  return JSON.parse(await ok(...args, '--format', 'json'))
}

const partition = (...args: readonly string[]) => ok('partition', ...args)
const itemsOf = async (...args: readonly string[]) => {
  return (await documentOf('partition', ...args)).items
}

/** The names that a list with these filters has. */
async function listed(...filters: readonly string[]): Promise<string[]> {
  return (await partition('list', ...filters, '--format', 'name')).split('\n').slice(0, -1)
}

/** Kills a broker, and waits until the controller has noted it. */
async function lose(id: number): Promise<void> {
  await cluster.broker(id).kill()
  await eventually(`broker ${id} is fenced`, async () => {
    const brokers = (await documentOf('broker', 'list')).items
    return (
      brokers.find((broker: { id: number }) => broker.id === id)?.state === 'fenced' || undefined
    )
  })
}

describe('with all brokers', () => {
  it('list: leader, replicas, state; filters add up', async () => {
    expect(await partition('list')).toBe(
      [
        'TOPIC   PARTITION  LEADER  REPLICAS  ISR    ELR  STATE',
        'orders          0       1  1,2,3     1,2,3  -    -',
        'orders          1       2  2,3,1     2,3,1  -    -',
        '',
      ].join('\n'),
    )
    expect(await itemsOf('list', '--topic', 'orders', '--leader', '2')).toEqual([
      {
        ...{ topic: 'orders', partition: 1, leader: 2, leaderEpoch: 0, minIsr: 2 },
        ...{ replicas: [2, 3, 1], isr: [2, 3, 1], elr: [], lastKnownElr: [], offline: [] },
        ...{ state: [], adding: [], removing: [] },
      },
    ])
    expect(await listed('--under-replicated')).toEqual([])
    const unknown = await run('partition', 'list', '--topic', 'odrers')
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Did you mean orders?'),
    })
  })

  it('describe: each replica', async () => {
    expect(await partition('describe', 'orders:0')).toBe(
      [
        'orders:0 · leader 1 · epoch 0 · 3 of 3 in sync, 2 needed · offsets 0 to 0',
        '',
        'BROKER  ROLE     ONLINE  MOVE',
        '     1  leader   yes     -',
        '     2  in-sync  yes     -',
        '     3  in-sync  yes     -',
        '',
      ].join('\n'),
    )
    const [item] = await itemsOf('describe', 'orders/1')
    expect(item).toMatchObject({ topic: 'orders', partition: 1, leader: 2, start: '0', end: '0' })
    expect(item.replicas).toHaveLength(3)
  })

  it('why: in words', async () => {
    const text = await partition('why', 'orders:0')
    expect(text).toContain('orders:0 · leader 1 · epoch 0\n')
    expect(text).toContain('Broker 1 leads: it is the first of the replicas 1, 2, 3')
    const [item] = await itemsOf('why', 'orders:0')
    expect(item).toMatchObject({ leader: 1, minIsr: 2, lastElection: null, lastIsrChange: null })
    expect(item.replicas[1]).toMatchObject({ broker: 2, state: 'in-sync', reason: 'in sync' })
  })

  it('move to the same brokers in another order, and elect the one that is preferred then', async () => {
    const plan = ['move', 'orders:0', '--to', '3,1,2']
    expect(await partition(...plan, '--dry-run')).toBe(
      'would move orders:0 from 1, 2, 3 to 3, 1, 2; nothing is copied\n',
    )
    expect(await documentOf('partition', ...plan)).toMatchObject({
      applied: true,
      items: [{ before: [1, 2, 3], after: [3, 1, 2], adding: [], removing: [] }],
    })
    expect((await itemsOf('list', '--topic', 'orders'))[0]).toMatchObject({ leader: 1, state: [] })
    expect(await partition('elect', '--all', '--dry-run')).toBe(
      'would hold an election (preferred) of 1 partition\n  orders:0, led by 1\n',
    )
    expect(await partition('elect', 'orders:0', 'orders:1')).toBe(
      '✓ orders:0 is led by 3, before it 1\n  orders:1 needs none: 2 leads\n',
    )
    expect(await partition('elect', '--all')).toBe('no partition needs an election\n')
    const [why] = await itemsOf('why', 'orders:0')
    expect(why.lastElection).toMatchObject({ leader: 3, previous: 1, cause: 'electLeaders' })
    expect(Math.abs(Date.parse(why.lastElection.time) - Date.now())).toBeLessThan(60_000)
  })

  it('refuses targets that cannot be', async () => {
    const stranger = await run('partition', 'move', 'orders:0', '--to', '1,9')
    expect(stranger.code).toBe(1)
    expect(stranger.stderr).toContain('Broker 9 is not registered (INVALID_REPLICA_ASSIGNMENT, 39)')
    const still = await run('partition', 'move', 'orders:0', '--cancel')
    expect(still.stderr).toContain('(NO_REASSIGNMENT_IN_PROGRESS, 85)')
    const unknown = await run('partition', 'why', 'orders:7')
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('partitions 0 to 1') })
  })
})

describe('with a broker less', () => {
  beforeAll(async () => {
    await make('sales', [[1, 2]])
    await make('alone', [[3]])
    await lose(3)
  })

  it('lists what is wrong', async () => {
    expect(await listed('--under-replicated')).toEqual(['alone:0', 'orders:0', 'orders:1'])
    expect(await listed('--offline')).toEqual(['alone:0'])
    expect(await listed('--under-min-isr')).toEqual(['alone:0'])
    expect(await listed('--under-replicated', '--leader', '2')).toEqual(['orders:1'])
    const rows = JSON.parse(await ok('topic', 'describe', 'alone', '--format', 'json')).items[0]
    expect(rows.partitions[0]).toMatchObject({
      ...{ leader: null, isr: [], elr: [3] },
      state: ['offline', 'under-min-isr', 'under-replicated'],
    })
  })

  it('why: names the broker that is missed, and the last election', async () => {
    const text = await partition('why', 'orders:0')
    expect(text).toContain(
      'and not the preferred leader 3, which is out of sync; its broker is fenced',
    )
    expect(text).toContain('The last election went from 3 to 1')
    expect(text).toContain('changed last when broker 3 left')
    expect(await partition('why', 'alone:0')).toContain('Nobody leads: broker 3, known to have all')
  })

  it('a move to it is under way until it is taken back', async () => {
    expect(await partition('move', 'sales:0', '--to', '3,2')).toBe(
      '✓ sales:0 moves to 3, 2\n  `naru partition describe sales:0` shows how far it is\n',
    )
    expect(await listed('--moving')).toEqual(['sales:0'])
    const text = await partition('describe', 'sales:0')
    expect(text).toContain('2 of 3 in sync, 2 needed')
    expect(text).toContain('moving: 0 of 1 that come are in sync, then 1 go\n')
    expect(text).toContain('     3  out-of-sync  no      adding\n')
    expect(text).toContain('     1  leader       yes     removing\n')
    expect(await partition('move', 'sales:0', '--cancel')).toBe('✓ sales:0 stays on 2, 1\n')
    expect(await listed('--moving')).toEqual([])
  })

  it('elections that cannot be say why, and end with 1', async () => {
    const preferred = await run('partition', 'elect', 'orders:0', 'orders:1')
    expect(preferred.code).toBe(1)
    expect(preferred.stderr).toContain('(PREFERRED_LEADER_NOT_AVAILABLE, 80)')
    expect(preferred.stderr).toContain('hint: `naru partition why orders:0` says')
    const asked = ['partition', 'elect', 'alone:0', '--unclean'] as const
    const unconfirmed = await run(...asked)
    expect(unconfirmed).toMatchObject({ code: 5, stderr: expect.stringContaining('Add --yes') })
    const refused = await run(...asked, '--yes', '--format', 'json')
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({
      items: [{ topic: 'alone', result: 'failed', reason: 'ELIGIBLE_LEADERS_NOT_AVAILABLE' }],
      errors: [{ code: 'KAFKA-83' }],
    })
  })
})

it.skipIf(!isInstalled('script'))('an unclean election is typed by name, and told', async () => {
  await cluster.startAll()
  await make('risky', [[3, 1]], { 'min.insync.replicas': '1' })
  // Broker 1 is not in sync any more when the last one that is dies.
  await lose(1)
  await cluster.broker(3).kill()
  await cluster.broker(1).start()
  await eventually('nobody leads, and broker 1 is back', async () => {
    const [found] = await itemsOf('list', '--topic', 'risky')
    return (found.leader === null && !found.offline.includes(1)) || undefined
  })
  expect(await partition('why', 'risky:0')).toContain('Nobody leads: broker 3, known to have all')
  const { child, ended, until } = startNaruOnTerminal(
    ['partition', 'elect', 'risky:0', '--unclean'],
    {
      env: env(),
    },
  )
  await until('Type the name of the partition')
  child.stdin.write('risky:0\n')
  const { code, stdout } = await ended
  expect(stdout).toContain('that may lack acknowledged records, which are then lost')
  expect(stdout).toContain('risky:0 is led by 1, before it nobody')
  expect(code).toBe(0)
  expect(await partition('why', 'risky:0')).toContain('uncleanly: acknowledged records may be lost')
})

describe('command lines', () => {
  it.each([
    [['describe', 'orders'], 'A partition is named TOPIC:NUMBER'],
    [['why', 'orders:x'], 'A partition is named TOPIC:NUMBER'],
    [['elect'], 'Name the partitions, or give --all'],
    [['elect', 'orders:0', '--all'], 'and not both'],
    [['move', 'orders:0'], 'Give --to with brokers, or --cancel'],
    [['move', 'orders:0', '--to', '1', '--cancel'], 'and not both'],
    [['move', 'orders:0', '--to', '1,1'], '--to names a broker twice'],
    [['move', 'orders:0', '--to', '1,x'], '--to takes a whole number'],
    [['list', '--leader', '-1'], '--leader takes a whole number'],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await naru(['partition', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  it.each([
    ['list', 'lastKnownElr'],
    ['describe', 'replicas[].role'],
    ['why', 'replicas[].reason'],
    ['elect', 'result'],
    ['move', 'removing'],
  ])('help of %s is printed without a cluster', async (command, field) => {
    const { code, stdout } = await naru(['partition', command, '--format', 'help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^${RegExp.escape(field)} `, 'm'))
  })
})
