/** Where a cluster offers gRPC: each broker tells it in its configuration, so that the addresses for Kafka's clients are enough. */
import type { Address } from '@naru/base'
import { apis } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import { NaruError } from './errors.ts'

const brokerType = 4
const key = 'naru.grpc.advertised.listeners'

/** Those of the brokers that answer, in the order of their ids, each asked when it is wanted. */
export async function* grpcAddresses(cluster: Cluster): AsyncGenerator<Address> {
  const { brokers } = await cluster.metadata([])
  const ids = brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b)
  for (const nodeId of ids) {
    const address = await addressOf(cluster, nodeId)
    if (address !== undefined) yield address
  }
}

/** No address was found, or none that is of use. */
export function withoutGrpc(): NaruError {
  const text = 'no broker that answers offers gRPC, which this needs'
  return new NaruError('NARU_UNSUPPORTED', text, { reason: 'NO_GRPC' })
}

/** Undefined for a broker without gRPC, and for one that does not answer. */
async function addressOf(cluster: Cluster, nodeId: number): Promise<Address | undefined> {
  try {
    const connection = await cluster.broker(nodeId)
    const answer = await connection.request(apis.describeConfigs, {
      resources: [
        { resourceType: brokerType, resourceName: String(nodeId), configurationKeys: [key] },
      ],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    return parsed(answer.results[0]?.configs.find(({ name }) => name === key)?.value ?? '')
  } catch (error) {
    if (error instanceof NaruError) return undefined
    throw error
  }
}

function parsed(text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port === 0) return undefined
  return { host: (match[1] ?? match[2]) as string, port }
}
