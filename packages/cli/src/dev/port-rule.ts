/** The ports of the brokers of `naru dev`: a kind has its own range, a broker its own number in each. */

/** The first port of the Kafka protocol. */
export const defaultPort = 9092
export const brokersMax = 100
export const portMax = 65_535 - 3 * brokersMax + 1

export interface Ports {
  readonly kafka: number
  readonly grpc: number
  /** For the other brokers. */
  readonly internal: number
}

/** `first`: the Kafka port of broker 1. */
export function portsOf(nodeId: number, first: number): Ports {
  const kafka = first + nodeId - 1
  return { kafka, grpc: kafka + brokersMax, internal: kafka + 2 * brokersMax }
}

/** Whether there are so many ports. */
export function hasPorts(nodeId: number, first: number): boolean {
  return portsOf(nodeId, first).internal <= 65_535
}
