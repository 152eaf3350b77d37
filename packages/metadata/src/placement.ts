import type { NodeId } from '@naru/model'

/**
 * Spreads replicas over brokers in a circle: partition p begins at broker p, so that leaders are even. `start` shifts the circle
 * from topic to topic. Racks are taken in turn, so that neighbours in the circle stand on different racks where there are several.
 */
export function placeReplicas(
  brokers: readonly { nodeId: NodeId; rack: string | null }[],
  options: { firstPartition: number; count: number; replicationFactor: number; start: number },
): NodeId[][] {
  const circle = alternateRacks(brokers)
  const placed: NodeId[][] = []
  for (let i = 0; i < options.count; i++) {
    const from = options.start + options.firstPartition + i
    const replicas: NodeId[] = []
    for (let r = 0; r < options.replicationFactor; r++) {
      replicas.push(circle[(from + r) % circle.length] as NodeId)
    }
    placed.push(replicas)
  }
  return placed
}

function alternateRacks(brokers: readonly { nodeId: NodeId; rack: string | null }[]): NodeId[] {
  const racks = new Map<string, NodeId[]>()
  for (const { nodeId, rack } of [...brokers].sort((a, b) => a.nodeId - b.nodeId)) {
    const members = racks.get(rack ?? '') ?? []
    members.push(nodeId)
    racks.set(rack ?? '', members)
  }
  const circle: NodeId[] = []
  const columns = [...racks.values()]
  for (let i = 0; circle.length < brokers.length; i++) {
    for (const column of columns) {
      const nodeId = column[i]
      if (nodeId !== undefined) circle.push(nodeId)
    }
  }
  return circle
}
