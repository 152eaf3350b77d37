/** Where a broker really listens, for the keys that say so: port 0 in them stands for the port that was bound. */
import { listOf } from '@naru/model'
import { addressText, type ListenAddress } from './addresses.ts'
import type { Endpoint } from './endpoints.ts'

export interface BoundAddresses {
  /** Of Kafka clients. */
  readonly listeners: readonly Endpoint[]
  readonly grpc: ListenAddress | undefined
}

/** What a key says once the broker listens; `value` as it was set. Undefined where it is not set and nothing is to be told. */
export function boundValue(
  name: string,
  value: string | undefined,
  { listeners, grpc }: BoundAddresses,
): string | undefined {
  switch (name) {
    case 'listeners':
    case 'advertised.listeners':
      return value === undefined ? undefined : listOf(value).map(withPort).join()
    case 'naru.grpc.listeners':
      return value && grpc !== undefined ? addressText(grpc.listen) : value
    // Clients of the Kafka port look for gRPC in this key, so it has an answer where it is not set, too.
    case 'naru.grpc.advertised.listeners':
      return grpc === undefined ? value : addressText(grpc.advertised)
    default:
      return value
  }

  function withPort(entry: string): string {
    const listener = entry.slice(0, entry.indexOf(':')).toUpperCase()
    const port = listeners.find((each) => each.listener === listener)?.port ?? 0
    return entry.replace(/:0+$/, `:${port}`)
  }
}
