import { execFile } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { loadSync, type Options } from '@grpc/proto-loader'
import { type Clock, type Logger, silentLogger } from '@naru/base'
import { kafkaErrors } from '@naru/model'
import { systemClock, systemRandom } from '@naru/platform'
import type { EventWatcher } from '@naru/services'
import { protoPath as healthProto } from 'grpc-health-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { QuorumAdmin } from './cluster-service.ts'
import { createGrpcApi } from './index.ts'
import type { PartitionExplainer } from './partition-service.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const packages = '../../../node_modules'
const options: Options = {
  includeDirs: [path('../../../proto')],
  longs: String,
  enums: String,
  defaults: true,
}

type Unary = (
  request: object,
  callback: (error: grpc.ServiceError | null, answer: object) => void,
) => grpc.ClientUnaryCall
type AnyClient = grpc.Client & Record<string, Unary>

const never = () => new Promise<never>(() => {})
const idle: QuorumAdmin = {
  health: never,
  quorum: never,
  transferLeader: never,
  addVoter: never,
  removeVoter: never,
}

/** Nothing happens. */
const quiet: EventWatcher = { watch: async function* () {} }

const unknowing: PartitionExplainer = {
  explain: () => ({ error: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message: 'There is none' }),
}

const open: (grpc.Client | AsyncDisposable)[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) {
    if (each instanceof grpc.Client) each.close()
    else await each[Symbol.asyncDispose]()
  }
})

async function serve(
  admin: Partial<QuorumAdmin>,
  other: {
    clock?: Clock
    logger?: Logger
    connectionsMax?: number
    events?: EventWatcher
    partitions?: PartitionExplainer
  } = {},
) {
  const api = await createGrpcApi({
    address: { host: '127.0.0.1', port: 0 },
    connectionsMax: 10,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    admin: { ...idle, ...admin },
    events: quiet,
    partitions: unknowing,
    ...other,
  })
  open.push(api)
  return api
}

function clientOf(port: number, file: string, service: string): AnyClient {
  const definition = loadSync(file, options)[service] as grpc.ServiceDefinition
  const Client = grpc.makeGenericClientConstructor(definition, service)
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  })
  open.push(client)
  return client as unknown as AnyClient
}

const clusterClient = (port: number) =>
  clientOf(port, 'naru/admin/v1/cluster.proto', 'naru.admin.v1.ClusterService')

interface Outcome {
  readonly answer?: object
  readonly error?: grpc.ServiceError
  readonly headers: Record<string, unknown>
}

function call(client: AnyClient, method: string, request: object = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    let headers: Record<string, unknown> = {}
    const started = client[method]!(request, (error, answer) => {
      resolve(error === null ? { answer, headers } : { error, headers })
    })
    started.on('metadata', (metadata) => {
      headers = metadata.getMap()
    })
  })
}

describe('ClusterService', () => {
  it('gives the health, with and without a leader', async () => {
    let leaderId = 0
    const { address } = await serve({
      health: async () => ({
        leaderId,
        aliveBrokerIds: [0, 2],
        fencedBrokerIds: [1],
        offlinePartitions: 3,
        underReplicatedPartitions: 4,
      }),
    })
    const client = clusterClient(address.port)
    const known = {
      aliveBrokerIds: [0, 2],
      fencedBrokerIds: [1],
      offlinePartitions: 3,
      underReplicatedPartitions: 4,
    }
    expect((await call(client, 'GetHealth')).answer).toEqual({ quorumLeaderId: 0, ...known })
    leaderId = -1
    expect((await call(client, 'GetHealth')).answer).toEqual(known)
  })

  it('gives the quorum', async () => {
    const replica = { directoryId: 'd', lastFetchMs: 1_700_000_000_123, lastCaughtUpMs: -1 }
    const { address } = await serve({
      quorum: async () => ({
        leaderId: 1,
        leaderEpoch: 7,
        highWatermark: 9_007_199_254_740_993n,
        voters: [{ nodeId: 1, logEndOffset: 9_007_199_254_740_995n, ...replica }],
        observers: [{ nodeId: 2, logEndOffset: 0n, ...replica }],
        nodes: [],
      }),
    })
    const times = {
      lastFetchTime: { seconds: '1700000000', nanos: 123_000_000 },
      lastCaughtUpTime: null,
    }
    expect((await call(clusterClient(address.port), 'GetQuorum')).answer).toEqual({
      leaderId: 1,
      leaderEpoch: 7,
      highWatermark: '9007199254740993',
      voters: [{ nodeId: 1, directoryId: 'd', logEndOffset: '9007199254740995', ...times }],
      observers: [{ nodeId: 2, directoryId: 'd', logEndOffset: '0', ...times }],
    })
  })

  it('passes on what is asked for', async () => {
    const asked: unknown[] = []
    const { address } = await serve({
      transferLeader: async (nodeId) => void asked.push(nodeId),
      addVoter: async (voter) => void asked.push(voter),
      removeVoter: async (voter) => void asked.push(voter),
    })
    const client = clusterClient(address.port)
    const voter = { nodeId: 2, directoryId: 'dir' }
    expect((await call(client, 'TransferQuorumLeader', { nodeId: 3 })).answer).toEqual({})
    expect((await call(client, 'AddVoter', voter)).answer).toEqual({})
    expect((await call(client, 'RemoveVoter', voter)).answer).toEqual({})
    expect(asked).toEqual([3, voter, voter])
  })

  it.each([
    ['AddVoter', { nodeId: 1 }, 'The directory id is missing'],
    ['RemoveVoter', { nodeId: -1, directoryId: 'd' }, 'A node id is 0 or more'],
    ['TransferQuorumLeader', { nodeId: -2 }, 'A node id is 0 or more'],
  ])('%s refuses %o without asking', async (method, request, message) => {
    const { address } = await serve({})
    const { error } = await call(clusterClient(address.port), method, request)
    expect(error).toMatchObject({ code: grpc.status.INVALID_ARGUMENT, details: message })
  })

  it.each(['GetQuorum', 'TransferQuorumLeader', 'AddVoter', 'RemoveVoter'])(
    '%s gives a refusal as a status with details',
    async (method) => {
      const refuse = async () => ({ error: kafkaErrors.NOT_CONTROLLER, message: 'Broker 2 leads' })
      const { address } = await serve({
        quorum: refuse,
        transferLeader: refuse,
        addVoter: refuse,
        removeVoter: refuse,
      })
      const request = { nodeId: 1, directoryId: 'd' }
      const { error, headers } = await call(clusterClient(address.port), method, request)
      expect(error).toMatchObject({
        code: grpc.status.FAILED_PRECONDITION,
        details: 'Broker 2 leads',
      })
      const [details] = error!.metadata.get('grpc-status-details-bin') as Buffer[]
      expect(String(details)).toContain('NOT_CONTROLLER')
      expect(String(details)).toContain(headers['naru-request-id'])
    },
  )
})

describe('PartitionService', () => {
  const partitionClient = (port: number) =>
    clientOf(port, 'naru/admin/v1/partition.proto', 'naru.admin.v1.PartitionService')

  it('explains a partition', async () => {
    const image = {
      ...{ topicId: 't', partition: 3, leader: -1, leaderEpoch: 4, partitionEpoch: 5, minIsr: 2 },
      ...{ replicas: [2], isr: [], elr: [2], lastKnownElr: [], directories: [] },
      ...{ addingReplicas: [], removingReplicas: [], removedReplicas: [] },
      ...{ isFlushed: true, isRecovering: false },
    }
    const replica = {
      ...{ nodeId: 2, isAvailable: false, isAdded: true, isRemoved: false, reason: 'r' },
      state: 'eligible' as const,
    }
    const at = { timestampMs: 1_700_000_000_123, cause: 'stopped' }
    const election = { leader: -1, previous: 0, leaderEpoch: 4, isUnclean: false, ...at }
    const isrChange = { left: [2], joined: [], ...at }
    const past = { election, isrChange }
    const sentences = ['Nobody leads.']
    const explained = { topic: 'orders', partition: image, replicas: [replica], past, sentences }
    const explain = (named: object) => {
      expect(named).toEqual({ topic: 'orders', partition: 3 })
      return explained
    }
    const { address } = await serve({}, { partitions: { explain } })
    const time = { seconds: '1700000000', nanos: 123_000_000 }
    const request = { topic: 'orders', partition: 3 }
    const { answer } = await call(partitionClient(address.port), 'ExplainPartition', request)
    expect(answer).toEqual({
      ...{ topic: 'orders', partition: 3, leaderEpoch: 4, partitionEpoch: 5 },
      minInsyncReplicas: 2,
      replicas: [{ ...replica, state: 'REPLICA_STATE_ELIGIBLE' }],
      lastElection: {
        ...{ previousLeaderId: 0, leaderEpoch: 4, time, cause: 'stopped', isUnclean: false },
      },
      lastIsrChange: { leftIds: [2], joinedIds: [], time, cause: 'stopped' },
      sentences,
    })
  })

  it('refuses what is not named, and what is not there', async () => {
    const { address } = await serve({})
    const client = partitionClient(address.port)
    const unnamed = await call(client, 'ExplainPartition', {})
    expect(unnamed.error?.code).toBe(grpc.status.INVALID_ARGUMENT)
    const unknown = await call(client, 'ExplainPartition', { topic: 'orders', partition: 1 })
    expect(unknown.error?.code).toBe(grpc.status.NOT_FOUND)
  })
})

describe('a call', () => {
  it('that fails tells the client an id, and the log the reason', async () => {
    const logged: unknown[] = []
    const logger: Logger = { ...silentLogger, error: (...line) => void logged.push(line) }
    const boom = new Error('secret')
    const { address } = await serve({ health: () => Promise.reject(boom) }, { logger })
    const { error, headers } = await call(clusterClient(address.port), 'GetHealth')
    expect(error!.code).toBe(grpc.status.INTERNAL)
    expect(error!.message).not.toContain('secret')
    expect(logged).toEqual([
      [
        'call-failed',
        {
          method: '/naru.admin.v1.ClusterService/GetHealth',
          requestId: headers['naru-request-id'],
          error: boom,
        },
      ],
    ])
  })

  it('without a deadline is given one', async () => {
    const started = Promise.withResolvers<void>()
    let fire = () => {}
    const clock: Clock = {
      ...systemClock,
      setTimer: (delayMs, callback) => {
        if (delayMs !== 30_000) return systemClock.setTimer(delayMs, callback)
        fire = callback
        return { cancel() {} }
      },
    }
    const health = () => {
      started.resolve()
      return never()
    }
    const { address } = await serve({ health }, { clock })
    const outcome = call(clusterClient(address.port), 'GetHealth')
    await started.promise
    fire()
    const { error, headers } = await outcome
    expect(error).toMatchObject({
      code: grpc.status.DEADLINE_EXCEEDED,
      details: 'Not done in 30000 ms',
    })
    expect(headers['naru-timeout-ms']).toBe('30000')
  })

  it('that nobody waits for does not hold up the end', async () => {
    const started = Promise.withResolvers<void>()
    const health = () => {
      started.resolve()
      return never()
    }
    const api = await serve({ health })
    const client = clusterClient(api.address.port)
    const ended = new Promise<grpc.ServiceError | null>((resolve) => {
      const running = client['GetHealth']!({}, resolve)
      void started.promise.then(() => running.cancel())
    })
    expect((await ended)?.code).toBe(grpc.status.CANCELLED)
    await api[Symbol.asyncDispose]()
  })

  it('in work is answered before the end', async () => {
    const started = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<undefined>()
    const transferLeader = () => {
      started.resolve()
      return answer.promise
    }
    const api = await serve({ transferLeader })
    const outcome = call(clusterClient(api.address.port), 'TransferQuorumLeader', { nodeId: 1 })
    await started.promise
    const end = api[Symbol.asyncDispose]()
    answer.resolve(undefined)
    expect((await outcome).answer).toEqual({})
    await end
  })
})

describe('the server', () => {
  it('tells its health, and watchers of its end', async () => {
    const api = await serve({})
    const client = clientOf(api.address.port, healthProto, 'grpc.health.v1.Health')
    for (const service of ['', 'naru.admin.v1.ClusterService', 'naru.admin.v1.PartitionService']) {
      expect((await call(client, 'Check', { service })).answer).toEqual({ status: 'SERVING' })
    }
    expect((await call(client, 'Check', { service: 'other' })).error?.code).toBe(5)
    const watch = client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      () => Buffer.alloc(0),
      (bytes: Buffer) => bytes.at(-1),
      {},
    )
    const seen: unknown[] = []
    watch.on('error', () => {})
    watch.on('data', (status) => seen.push(status))
    await once(watch, 'data')
    const over = new Promise((resolve) => watch.on('status', resolve))
    await api[Symbol.asyncDispose]()
    await over
    const [serving, notServing] = [1, 2]
    expect(seen).toEqual([serving, notServing])
  })

  it.each(['v1', 'v1alpha'])('reflects its services by %s', async (version) => {
    const api = await serve({})
    const file = path(
      `${packages}/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`,
    )
    const client = clientOf(
      api.address.port,
      file,
      `grpc.reflection.${version}.ServerReflection`,
    ) as unknown as Record<string, () => grpc.ClientDuplexStream<object, object>>
    const stream = client['ServerReflectionInfo']!()
    const ask = async (request: object): Promise<Record<string, Record<string, unknown>>> => {
      stream.write(request)
      const [answer] = await once(stream, 'data')
      return answer
    }
    expect((await ask({ listServices: '*' }))['listServicesResponse']).toEqual({
      service: [
        { name: 'naru.admin.v1.ClusterService' },
        { name: 'naru.admin.v1.PartitionService' },
        { name: 'grpc.health.v1.Health' },
      ],
    })
    const { fileDescriptorResponse } = await ask({
      fileContainingSymbol: 'naru.admin.v1.ClusterService',
    })
    const files = (fileDescriptorResponse!['fileDescriptorProto'] as Buffer[]).map(String)
    // What the file imports comes with it, and is named in it.
    expect(files.filter((each) => each.includes('naru.admin.v1'))).toHaveLength(1)
    expect(files.find((each) => each.includes('naru.admin.v1'))).toContain(
      'google/protobuf/timestamp.proto',
    )
    expect(files.some((each) => each.includes('TimestampProto'))).toBe(true)
    const over = once(stream, 'status')
    stream.end()
    await over
  })

  it('closes connections above the limit', async () => {
    const api = await serve({}, { connectionsMax: 1 })
    const first = net.connect(api.address.port, '127.0.0.1')
    await once(first, 'connect')
    const second = net.connect(api.address.port, '127.0.0.1').resume()
    second.on('error', () => {})
    await once(second, 'close')
    expect(first.destroyed).toBe(false)
    first.destroy()
  })

  it('survives bytes that are not HTTP/2', async () => {
    const api = await serve({ transferLeader: async () => undefined })
    const socket = net.connect(api.address.port, '127.0.0.1').resume()
    socket.on('error', () => {})
    socket.end('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    const { answer } = await call(clusterClient(api.address.port), 'TransferQuorumLeader')
    expect(answer).toEqual({})
  })

  it('says why it cannot listen', async () => {
    const { address } = await serve({})
    const taken = createGrpcApi({
      address,
      connectionsMax: 1,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      admin: idle,
      events: quiet,
      partitions: unknowing,
    })
    await expect(taken).rejects.toMatchObject({ name: 'TransportError', code: 'EADDRINUSE' })
  })

  it('loads gRPC when the first client comes', async () => {
    const script = `
      const { createRequire } = await import('node:module')
      const { createGrpcApi } = await import(${JSON.stringify(path('index.ts'))})
      const { once } = await import('node:events')
      const net = await import('node:net')
      const loaded = () =>
        Object.keys(createRequire(import.meta.url).cache).some((each) => each.includes('@grpc/'))
      const api = await createGrpcApi({
        address: { host: '127.0.0.1', port: 0 }, connectionsMax: 1, admin: {},
      })
      const before = loaded()
      const socket = net.connect(api.address.port, '127.0.0.1')
      await once(socket, 'data') // the settings of HTTP/2
      console.log(before, loaded())
      process.exit()`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      script,
    ])
    expect(stdout.trim()).toBe('false true')
  })
})
