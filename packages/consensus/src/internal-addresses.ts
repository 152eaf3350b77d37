/** Where brokers registered that other brokers reach them. */
import type { Address } from '@naru/base'
import { decodeMetadataRecords } from '@naru/metadata'
import type { Entry } from '@naru/raft'
import type { NodeAddress } from './peers/frame.ts'
import { internalListener } from './quorum-settings.ts'

interface Endpoints {
  readonly endpoints: readonly { listener: string; host: string; port: number }[]
}

export function internalAddressOf({ endpoints }: Endpoints): Address | undefined {
  return endpoints.find(({ listener }) => listener === internalListener)
}

/** Of the registrations in these entries, in their order. */
export function internalAddressesIn(entries: readonly Entry[]): NodeAddress[] {
  const found: NodeAddress[] = []
  for (const entry of entries) {
    if (entry.kind !== 'data') continue
    for (const record of decodeMetadataRecords(entry.payload)) {
      const address = record.type === 'broker' ? internalAddressOf(record) : undefined
      if (record.type !== 'broker' || address === undefined) continue
      found.push({ nodeId: record.nodeId, host: address.host, port: address.port })
    }
  }
  return found
}
