import type { BrokerImage, MetadataImage } from '@naru/metadata'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Where clients of a listener reach the brokers: the addresses of the listener that they came in on. */
export function addressesOf(image: MetadataImage, listener: string): BrokerAddress[] {
  const addresses: BrokerAddress[] = []
  for (const broker of image.brokers.values()) {
    const address = addressOf(broker, listener)
    if (address !== undefined) addresses.push(address)
  }
  return addresses
}

function addressOf(broker: BrokerImage, listener: string): BrokerAddress | undefined {
  const endpoint = broker.endpoints.find((candidate) => candidate.listener === listener)
  if (endpoint === undefined) return undefined
  const { nodeId, rack } = broker
  return { nodeId, host: endpoint.host, port: endpoint.port, rack }
}
