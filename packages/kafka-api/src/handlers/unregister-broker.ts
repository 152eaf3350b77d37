import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

export function unregisterBroker({ cluster }: Pick<Ports, 'cluster'>) {
  return defineHandler(apis.unregisterBroker, async ({ brokerId }) => {
    return { throttleTimeMs: 0, ...outcomeOf(await cluster.unregisterBroker(brokerId)) }
  })
}
