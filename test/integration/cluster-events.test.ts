// `naru events`: what happened in a cluster, from the file of any voter, over deaths of the controller and of the broker that
// is asked.
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { lastingPorts } from '../support/lasting-ports.ts'
import { naru, startNaru } from '../support/naru.ts'
import { prepareCluster } from '../support/reported-cluster.ts'
import type { TestCluster } from '../support/test-cluster.ts'

interface EventItem {
  readonly index: string
  readonly time: string
  readonly event: string
  readonly about: string
  readonly text: string
  readonly cause: string
  readonly details: Readonly<Record<string, unknown>>
}

async function grpcCluster(): Promise<TestCluster> {
  const cluster = await prepareCluster()
  const ports = await lastingPorts(cluster.brokers.length)
  for (const [at, { settings }] of cluster.brokers.entries()) {
    settings.set('naru.grpc.listeners', `127.0.0.1:${ports[at]}`)
  }
  await cluster.startAll()
  return cluster
}

async function eventsAt(bootstrap: string, ...args: readonly string[]): Promise<EventItem[]> {
  const { code, stdout, stderr } = await naru([
    ...['events', '-b', bootstrap, '--format', 'json'],
    ...args,
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const document = JSON.parse(stdout)
  expect(document).toMatchObject({ apiVersion: 'naru/v1', kind: 'EventList', errors: [] })
  return document.items
}

/** A topic with a replica of three partitions on each broker, of which each leads one. */
async function createTopic(cluster: TestCluster, name: string): Promise<void> {
  const [{ bootstrap }] = cluster.brokers as [ClusterBroker]
  const created = await naru(['topic', 'create', name, '-p', '3', '-b', bootstrap])
  expect(created.code).toBe(0)
}

function about(events: readonly EventItem[], name: string, nodeId: number): EventItem[] {
  return events.filter(({ event, details }) => event === name && details['nodeId'] === nodeId)
}

it('shows in order who was fenced and who leads, after the controller was killed', async () => {
  await using cluster = await grpcCluster()
  await createTopic(cluster, 'orders')
  const controller = await cluster.controller()
  const survivors = cluster.others(controller)
  const killedMs = Date.now()
  await controller.kill()
  const [asked] = survivors as [ClusterBroker]
  const fenced = await eventually('the fence of the controller', async () => {
    const events = await eventsAt(asked.bootstrap, '--since', '10m')
    const ends = about(events, 'brokerFenced', controller.id)
    return ends.length > 0 ? events : undefined
  })
  const after = fenced.filter(({ time }) => Date.parse(time) >= killedMs)
  const [, ...changes] = after
  const elected = changes.filter(({ event }) => event === 'leaderElected')
  // It led one of the partitions, and was in sync in all of them.
  expect(elected).toHaveLength(1)
  const [election] = elected as [EventItem]
  expect(after.map(({ event, about: what }) => `${event} ${what}`)).toEqual([
    `brokerFenced broker ${controller.id}`,
    ...['orders:0', 'orders:1', 'orders:2'].flatMap((name) => [
      ...(name === election.about ? [`leaderElected ${name}`] : []),
      `isrShrunk ${name}`,
    ]),
  ])
  const { leaderId } = election.details
  expect(survivors.map(({ id }) => id)).toContain(leaderId)
  expect(election.details).toMatchObject({ previousLeaderId: controller.id, leaderEpoch: 1 })
  expect(election.text).toBe(`leader ${leaderId}, before ${controller.id}, epoch 1`)

  await controller.start()
  const whole = await eventually('its return', async () => {
    const events = await eventsAt(asked.bootstrap)
    const grown = events.slice(fenced.length).filter(({ event }) => event === 'isrGrown')
    return grown.length === 3 ? events : undefined
  })
  expect(whole.slice(0, fenced.length)).toEqual(fenced)
  expect(whole.slice(fenced.length).map(({ event }) => event)).toEqual([
    'brokerRegistered',
    'brokerUnfenced',
    'isrGrown',
    'isrGrown',
    'isrGrown',
  ])
  const indexes = whole.map(({ index }) => BigInt(index))
  expect(indexes).toEqual(indexes.toSorted((a, b) => (a < b ? -1 : 1)))
  // What a cluster begins with, nobody has decided.
  const begun = whole.filter(({ event }) => event === 'featureChanged')
  expect(whole.slice(0, begun.length)).toEqual(begun)
  expect(begun.every(({ time }) => time === null)).toBe(true)
  const times = whole.slice(begun.length).map(({ time }) => Date.parse(time))
  expect(times.every((time) => time > killedMs - 600_000 && time <= Date.now())).toBe(true)

  // Every voter has kept the same, those that were killed and started again included.
  for (const { bootstrap } of cluster.brokers) {
    await eventually('the same events', async () => {
      const events = await eventsAt(bootstrap)
      return JSON.stringify(events) === JSON.stringify(whole) ? true : undefined
    })
  }
  await cluster.killAll()
  await cluster.startAll()
  const later = await eventsAt(asked.bootstrap)
  expect(later.slice(0, whole.length)).toEqual(whole)
  const lines = (await naru(['events', '-b', asked.bootstrap])).stdout.split('\n')
  expect(lines).toContainEqual(
    expect.stringMatching(
      new RegExp(`^\\d{4}-\\S+Z  broker ${controller.id} {6}fenced \\([^)]+\\)$`),
    ),
  )
}, 120_000)

it('follows on at another voter when the one that is asked goes away', async () => {
  await using cluster = await grpcCluster()
  const [first, second, third] = cluster.brokers as [ClusterBroker, ClusterBroker, ClusterBroker]
  const args = ['-b', third.bootstrap, '--follow', '--format', 'ndjson']
  const following = startNaru(['events', ...args])
  await following.until('"broker 3","text":"serves"')
  await createTopic(cluster, 'before')
  await following.until('"about":"before"')
  // It is asked first, as its number is the lowest.
  await first.kill()
  await following.until('"broker 1","text":"fenced"')
  expect((await naru(['topic', 'create', 'after', '-b', second.bootstrap])).code).toBe(0)
  await following.until('"about":"after"')
  following.child.kill('SIGINT')
  const { code, stdout, stderr } = await following.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const told = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EventItem)
  const whole = await eventsAt(second.bootstrap)
  expect(told).toEqual(whole.slice(0, told.length))
}, 120_000)

it('is read at a voter when the broker has no vote, and refused where there is none', async () => {
  await using cluster = await grpcCluster()
  const observer = await cluster.add(4)
  const [port] = (await lastingPorts(1)) as [number]
  observer.settings.set('naru.grpc.listeners', `127.0.0.1:${port}`)
  await observer.start()
  const events = await eventsAt(observer.bootstrap)
  expect(about(events, 'brokerUnfenced', 4)).toHaveLength(1)
  for (const { settings } of cluster.brokers.slice(0, 3)) settings.delete('naru.grpc.listeners')
  await cluster.killAll()
  await cluster.startAll()
  const refused = await naru(['events', '-b', observer.bootstrap])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(
    'Broker 4 has no vote in the quorum and keeps no events: ask one of 1, 2, 3 (NOT_CONTROLLER, 41)',
  )
  // With a vote it keeps what comes, and tells from where on.
  expect((await naru(['quorum', 'add', '4', '-b', observer.bootstrap])).code).toBe(0)
  await createTopic(cluster, 'later')
  const kept = await eventually('the topic in its file', async () => {
    const found = await eventsAt(observer.bootstrap)
    return found.some(({ about: name }) => name === 'later') ? found : undefined
  })
  expect(kept[0]).toMatchObject({
    event: 'eventsMissing',
    text: expect.stringMatching(/^entries \d+ to \d+ are missing: the broker did not vote$/),
  })
}, 120_000)
