/** All that loads gRPC: imported when the first client comes. */
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { HealthImplementation } from 'grpc-health-check'
import { CallsInWork } from './calls-in-work.ts'
import { type ClusterServices, clusterHandlers, clusterStreams } from './cluster-service.ts'
import { elapsed } from './elapsed.ts'
import { type PartitionExplainer, partitionHandlers } from './partition-service.ts'
import { reflectionService } from './reflection.ts'
import { type StreamHandler, type StreamPorts, streamCall } from './stream-call.ts'
import { type CallPorts, type UnaryHandler, unaryCall } from './unary-call.ts'

const folder = fileURLToPath(new URL('../../../proto', import.meta.url))
const clusterService = 'naru.admin.v1.ClusterService'
const partitionService = 'naru.admin.v1.PartitionService'

/** How long calls in work may take when the server stops. */
const drainMsMax = 5_000

export interface ApiPorts extends Omit<CallPorts, 'inWork'>, ClusterServices {
  readonly partitions: PartitionExplainer
}

export interface ApiServer {
  /** Serves a connection. */
  inject(socket: Socket): void
  /** Tells watchers, takes no new calls, and lets those in work be answered. Connections close when their calls are over. */
  drain(): Promise<void>
  /** Breaks off what is left. */
  close(): void
}

export function createApiServer(ports: ApiPorts): ApiServer {
  const { clock, admin, events, partitions } = ports
  const server = new Server({ 'grpc.enable_channelz': 0 })
  const inWork = new CallsInWork()
  const stopping = new AbortController()
  const calls = { ...ports, inWork, stopping: stopping.signal }
  addService(server, calls, {
    name: clusterService,
    file: 'cluster',
    unary: clusterHandlers(admin),
    streams: clusterStreams(events),
  })
  const ofPartitions = partitionHandlers(partitions)
  addService(server, calls, { name: partitionService, file: 'partition', unary: ofPartitions })
  const names = ['', clusterService, partitionService]
  const health = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, 'SERVING' as const])),
  )
  health.addToServer(server)
  reflectionService().addToServer(server)
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())

  return {
    inject: (socket) => injector.injectConnection(socket),
    drain: async () => {
      for (const name of names) health.setStatus(name, 'NOT_SERVING')
      stopping.abort()
      // It calls back before the calls are over: whether they are is counted here.
      server.tryShutdown(() => {})
      await Promise.race([inWork.whenIdle(), elapsed(clock, drainMsMax)])
    },
    close: () => server.forceShutdown(),
  }
}

interface Service {
  readonly name: string
  /** Of its definition. */
  readonly file: string
  /** Handlers by method: {@link UnaryHandler}. */
  readonly unary: object
  /** {@link StreamHandler}. */
  readonly streams?: object
}

function addService(
  server: Server,
  ports: StreamPorts,
  { name, file, unary, streams = {} }: Service,
): void {
  const implementation: UntypedServiceImplementation = {}
  for (const [method, handler] of Object.entries(unary)) {
    implementation[method] = unaryCall(ports, handler as UnaryHandler<object, object>)
  }
  for (const [method, handler] of Object.entries(streams)) {
    implementation[method] = streamCall(ports, handler as StreamHandler<object, object>)
  }
  const loaded = loadSync(`naru/admin/v1/${file}.proto`, {
    includeDirs: [folder],
    longs: String,
    enums: String,
    defaults: true,
  })
  server.addService(loaded[name] as Parameters<Server['addService']>[0], implementation)
}
