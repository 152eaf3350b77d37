import { type Dispatcher, Listener } from '@naru/network'
import type { BrokerOptions } from './broker.ts'
import type { Endpoint } from './endpoints.ts'
import { addressesOf } from './listen-addresses.ts'

/** Opens the listeners for Kafka clients; they end with `started`. Returns where they are, with the ports that were bound. */
export async function startKafkaListeners(
  options: BrokerOptions,
  dispatcher: Dispatcher,
  started: AsyncDisposableStack,
): Promise<Endpoint[]> {
  const { config, transport, clock, logger } = options
  const endpoints: Endpoint[] = []
  for (const { listener: name, host, port } of config.listeners) {
    for (const address of addressesOf(host)) {
      const known = endpoints.find((endpoint) => endpoint.listener === name)
      const listener = new Listener({
        name,
        address: { host: address, port: known?.port ?? port },
        transport,
        clock,
        logger: logger.child('network'),
        dispatcher,
        limits: {
          connectionsMax: config.number('max.connections'),
          connectionsPerIpMax: config.number('max.connections.per.ip'),
          idleMs: config.number('connections.max.idle.ms'),
          requestBytesMax: config.number('socket.request.max.bytes'),
          inWorkBytesMax: config.number('naru.connection.max.inflight.bytes'),
        },
      })
      const bound = await listener.start()
      started.defer(() => listener.stop())
      if (known === undefined) endpoints.push({ listener: name, host, port: bound.port })
    }
  }
  return endpoints
}
