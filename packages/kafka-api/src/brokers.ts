import type { BrokerImage, MetadataImage } from '@naru/metadata'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  /** Registered, and not fit to serve clients: as a rule they do not see it. */
  readonly isFenced: boolean
}

/** Where clients of a listener reach the brokers: the addresses of the listener that they came in on. */
export function addressesOf(
  image: MetadataImage,
  listener: string,
  { withFenced = false } = {},
): BrokerAddress[] {
  const addresses: BrokerAddress[] = []
  for (const broker of image.brokers.values()) {
    const address = addressOf(broker, listener)
    if (address !== undefined && (withFenced || !address.isFenced)) addresses.push(address)
  }
  return addresses
}

function addressOf(broker: BrokerImage, listener: string): BrokerAddress | undefined {
  const endpoint = broker.endpoints.find((candidate) => candidate.listener === listener)
  if (endpoint === undefined) return undefined
  const { nodeId, rack, isFenced } = broker
  return { nodeId, host: endpoint.host, port: endpoint.port, rack, isFenced }
}
