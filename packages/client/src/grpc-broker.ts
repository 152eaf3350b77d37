/** Calls of `naru.admin.v1` to whichever broker of a cluster can be reached by gRPC. */
import type { Cluster } from './cluster.ts'
import { NaruError } from './errors.ts'
import { grpcAddresses, withoutGrpc } from './grpc-address.ts'
import type { GrpcCall } from './grpc-client.ts'

/** Another broker is asked only when the one before was never reached. */
export async function callAnyBroker(
  cluster: Cluster,
  call: Omit<GrpcCall, 'clock' | 'timeoutMs'>,
): Promise<object> {
  const { callService } = await import('./grpc-client.ts')
  const { clock, requestTimeoutMs: timeoutMs } = cluster
  let unreached: NaruError | undefined
  for await (const address of grpcAddresses(cluster)) {
    try {
      return await callService(address, { ...call, clock, timeoutMs })
    } catch (error) {
      const isUnsent = NaruError.is(error, 'NARU_UNREACHABLE') && error.outcome === 'not-applied'
      if (!isUnsent) throw error
      unreached = error
    }
  }
  throw unreached ?? withoutGrpc()
}
