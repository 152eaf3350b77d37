import { createGrpcApi } from '@naru/grpc-api'
import type { ClusterAdmin, EventWatcher, PartitionAdmin } from '@naru/services'
import type { ListenAddress } from './addresses.ts'
import type { BrokerOptions } from './broker.ts'
import { addressesOf } from './listen-addresses.ts'

/** Name under which a broker registers where gRPC clients reach it. */
export const grpcListener = 'naru.grpc'

/** Opens the listener for gRPC clients, if there is to be one; it ends with `started`. Returns where it is, with the port that was bound. */
export async function startGrpcListener(
  options: BrokerOptions,
  services: {
    readonly cluster: ClusterAdmin
    readonly events: EventWatcher
    readonly partitionAdmin: PartitionAdmin
  },
  started: AsyncDisposableStack,
): Promise<ListenAddress | undefined> {
  const { config, clock, random, logger } = options
  if (config.grpc === undefined) return undefined
  const { listen, advertised } = config.grpc
  let { port } = listen
  for (const host of addressesOf(listen.host)) {
    const api = await createGrpcApi({
      address: { host, port },
      connectionsMax: config.number('max.connections'),
      admin: services.cluster,
      events: services.events,
      partitions: services.partitionAdmin,
      clock,
      random,
      logger: logger.child('grpc'),
    })
    started.use(api)
    port = api.address.port
  }
  return {
    listen: { host: listen.host, port },
    advertised: { host: advertised.host, port: advertised.port === 0 ? port : advertised.port },
  }
}
