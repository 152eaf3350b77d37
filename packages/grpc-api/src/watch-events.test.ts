// WatchEvents over a real connection: messages, back-pressure, and how it ends.
import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { type Clock, silentLogger } from '@naru/base'
import { kafkaErrors } from '@naru/model'
import { systemClock, systemRandom } from '@naru/platform'
import type { EventsPage, EventsRequest, EventWatcher } from '@naru/services'
import { afterEach, expect, it } from 'vitest'
import type { ClusterServices } from './cluster-service.ts'
import { createGrpcApi, type GrpcApi } from './index.ts'
import type { PartitionExplainer } from './partition-service.ts'

type Item = EventsPage['items'][number]
type Happened = (Item & { kind: 'events' })['events'][number]
type Stream = grpc.ClientReadableStream<Record<string, unknown>>

const service = 'naru.admin.v1.ClusterService'
const protoFolder = fileURLToPath(new URL('../../../proto', import.meta.url))
const definition = loadSync('naru/admin/v1/cluster.proto', {
  includeDirs: [protoFolder],
  longs: String,
  enums: String,
  oneofs: true,
  arrays: true,
})[service] as grpc.ServiceDefinition

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function serve(events: EventWatcher, clock: Clock = systemClock): Promise<GrpcApi> {
  const api = await createGrpcApi({
    address: { host: '127.0.0.1', port: 0 },
    connectionsMax: 10,
    clock,
    random: systemRandom,
    logger: silentLogger,
    admin: {} as ClusterServices['admin'],
    partitions: {} as PartitionExplainer,
    events,
  })
  open.push(() => api[Symbol.asyncDispose]())
  return api
}

function watch({ address }: GrpcApi, request: object = {}, options: grpc.ChannelOptions = {}) {
  const Client = grpc.makeGenericClientConstructor(definition, service)
  const client = new Client(`127.0.0.1:${address.port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  })
  open.push(() => client.close())
  return (client['WatchEvents'] as (request: object) => Stream).call(client, request)
}

/** All that comes, and how it ends. */
async function read(stream: Stream) {
  const messages: Record<string, unknown>[] = []
  stream.on('data', (message) => messages.push(message))
  stream.on('error', () => {})
  const status = await new Promise<grpc.StatusObject>((resolve) => stream.on('status', resolve))
  return { messages, status }
}

function watcherOf(
  ...pages: Awaited<ReturnType<ReturnType<EventWatcher['watch']>['next']>>['value'][]
) {
  const asked: EventsRequest[] = []
  const events: EventWatcher = {
    async *watch(request) {
      asked.push(request)
      yield* pages
    },
  }
  return { asked, events }
}

const change = { timestampMs: 1_700_000_000_123, cause: 'session timeout' }
const place = { topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 3 }
const topic = { topic: 'orders', topicId: place.topicId }

const happened: readonly [Happened, object][] = [
  [
    { type: 'leaderElected', ...place, leader: 2, previous: 0, leaderEpoch: 7, ...change },
    { partition: place, leaderId: 2, previousLeaderId: 0, leaderEpoch: 7 },
  ],
  [
    { type: 'leaderElected', ...place, leader: -1, previous: -1, leaderEpoch: 8, ...change },
    { partition: place, leaderEpoch: 8 },
  ],
  [
    { type: 'isrShrunk', ...place, isr: [], nodes: [1, 2], ...change },
    { partition: place, isrIds: [], leftIds: [1, 2] },
  ],
  [
    { type: 'isrGrown', ...place, isr: [1, 2], nodes: [2], ...change },
    { partition: place, isrIds: [1, 2], joinedIds: [2] },
  ],
  [
    { type: 'uncleanElection', ...place, leader: 1, isCommanded: true, ...change },
    { partition: place, leaderId: 1, commanded: true },
  ],
  [
    { type: 'reassignmentStarted', ...place, replicas: [1, 4], ...change },
    { partition: place, replicaIds: [1, 4] },
  ],
  [
    { type: 'reassignmentEnded', ...place, replicas: [4], ...change },
    { partition: place, replicaIds: [4] },
  ],
  [
    { type: 'brokerRegistered', nodeId: 1, brokerEpoch: 2n ** 60n, ...change },
    { nodeId: 1, brokerEpoch: String(2n ** 60n) },
  ],
  [{ type: 'brokerFenced', nodeId: 1, ...change }, { nodeId: 1 }],
  [{ type: 'brokerUnfenced', nodeId: 1, ...change }, { nodeId: 1 }],
  [{ type: 'brokerShuttingDown', nodeId: 1, ...change }, { nodeId: 1 }],
  [{ type: 'brokerUnregistered', nodeId: 1, ...change }, { nodeId: 1 }],
  [
    { type: 'directoriesFailed', nodeId: 1, directories: ['d'], ...change },
    { nodeId: 1, directoryIds: ['d'] },
  ],
  [{ type: 'topicCreated', ...topic, ...change }, topic],
  [{ type: 'topicDeleted', ...topic, ...change }, topic],
  [
    { type: 'featureChanged', name: 'naru.version', level: 2, previous: 1, ...change },
    { name: 'naru.version', level: 2, previousLevel: 1 },
  ],
]

it('tells every event by type, with index, time and cause', async () => {
  const events = happened.map(([event]) => event)
  const items: Item[] = [{ kind: 'events', index: 9n, isLast: true, events }]
  const { messages, status } = await read(
    watch(await serve(watcherOf({ items, nextIndex: 10n }).events)),
  )
  expect(status.code).toBe(grpc.status.OK)
  const time = { seconds: '1700000000', nanos: 123_000_000 }
  expect(messages).toMatchObject([
    {
      nextIndex: '10',
      events: happened.map(([{ type }, details]) => {
        return { index: '9', time, cause: 'session timeout', event: type, [type]: details }
      }),
    },
  ])
  const [, none] = (messages[0]?.['events'] ?? []) as { leaderElected: object }[]
  expect(Object.keys(none?.leaderElected ?? {})).not.toContain('leaderId')
})

it('tells of what is missing, why and from where, and of times that nobody knows', async () => {
  const event: Happened = { type: 'brokerFenced', nodeId: 1, timestampMs: -1, cause: '' }
  const items: Item[] = [
    { kind: 'gap', fromIndex: 1n, index: 4n, reason: 'retention' },
    { kind: 'events', index: 5n, isLast: true, events: [event] },
    { kind: 'gap', fromIndex: 6n, index: 8n, reason: 'observer' },
  ]
  const page = { items, nextIndex: 9n }
  const { messages } = await read(watch(await serve(watcherOf(page).events)))
  const told = messages[0]?.['events'] as object[]
  expect(told).toMatchObject([
    { index: '4', eventsMissing: { fromIndex: '1', reason: 'REASON_RETENTION' } },
    { index: '5', brokerFenced: { nodeId: 1 } },
    { index: '8', eventsMissing: { fromIndex: '6', reason: 'REASON_OBSERVER' } },
  ])
  expect(told[1]).not.toHaveProperty('time')
})

it('passes on what is asked for', async () => {
  const { asked, events } = watcherOf()
  const api = await serve(events)
  await read(watch(api))
  await read(
    watch(api, {
      fromIndex: '9007199254740993',
      maxAge: { seconds: 600, nanos: 5e6 },
      follow: true,
    }),
  )
  expect(asked).toEqual([
    { fromIndex: 0n, maxAgeMs: Number.POSITIVE_INFINITY, isFollowing: false },
    { fromIndex: 9_007_199_254_740_993n, maxAgeMs: 600_005, isFollowing: true },
  ])
})

it('ends with a refusal as a status with details', async () => {
  const refused = { error: kafkaErrors.NOT_CONTROLLER, message: 'Ask one of 1, 2, 3' }
  const { status } = await read(watch(await serve(watcherOf(refused).events)))
  expect(status).toMatchObject({
    code: grpc.status.FAILED_PRECONDITION,
    details: 'Ask one of 1, 2, 3',
  })
  expect(String(status.metadata.get('grpc-status-details-bin')[0])).toContain('NOT_CONTROLLER')
})

/** Pages without an end, counted; told when it is over. */
function endless(itemsOf: () => Item[]) {
  const state = { asked: 0, over: Promise.withResolvers<void>() }
  const events: EventWatcher = {
    async *watch(_, signal) {
      try {
        while (!signal.aborted) {
          state.asked++
          yield { items: itemsOf(), nextIndex: BigInt(state.asked) }
          // As a read of the disk does.
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        state.over.resolve()
      }
    },
  }
  return { state, events }
}

const large = (): Item[] => {
  const cause = 'x'.repeat(200)
  const event: Happened = { type: 'brokerFenced', nodeId: 1, timestampMs: 1, cause }
  return [{ kind: 'events', index: 1n, isLast: true, events: Array(256).fill(event) }]
}

it('reads nothing on for a client that takes nothing, and gives it up after a while', async () => {
  const { state, events } = endless(large)
  const late = Promise.withResolvers<() => void>()
  const clock: Clock = {
    ...systemClock,
    setTimer: (delayMs, callback) => {
      if (delayMs !== 30_000) return systemClock.setTimer(delayMs, callback)
      // The last wait of many: those before it ended by themselves.
      return systemClock.setTimer(300, () => late.resolve(callback))
    },
  }
  const stream = watch(await serve(events, clock), { follow: true })
  stream.on('error', () => {})
  // One that was never read would be taken in as a whole by the client's library.
  await new Promise((resolve) => stream.once('data', resolve))
  stream.pause()
  const giveUp = await late.promise
  const { asked } = state
  expect(asked).toBeLessThan(50)
  giveUp()
  await state.over.promise
  expect(state.asked).toBe(asked)
  const { messages, status } = await read(stream.resume() as Stream)
  expect(status).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED })
  expect(status.details).toContain('took nothing for 30 s')
  expect(messages.length).toBe(asked - 1)
})

it('ends when nobody listens any more', async () => {
  const { state, events } = endless(() => [])
  const stream = watch(await serve(events), { follow: true })
  stream.on('error', () => {})
  await new Promise((resolve) => stream.once('data', resolve))
  stream.cancel()
  await state.over.promise
})

it('ends when the server stops, with the advice to go on elsewhere', async () => {
  const waiting: EventWatcher = {
    async *watch(_, signal) {
      yield { items: [], nextIndex: 7n }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  }
  const api = await serve(waiting)
  const stream = watch(api, { follow: true })
  const outcome = read(stream)
  await new Promise((resolve) => stream.once('data', resolve))
  await api[Symbol.asyncDispose]()
  expect((await outcome).status).toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: 'The broker stops: go on at another one',
  })
})
