import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

export function createPartitions({ topics }: Pick<Ports, 'topics'>) {
  return defineHandler(apis.createPartitions, async (request) => {
    const results: ResponseOf<typeof apis.createPartitions>['results'] = []
    for (const { name, count, assignments } of request.topics) {
      const replicas = assignments?.map(({ brokerIds }) => brokerIds) ?? null
      const refused = await topics.grow(
        { name, count, assignments: replicas },
        request.validateOnly,
      )
      results.push({ name, ...outcomeOf(refused) })
    }
    return { throttleTimeMs: 0, results }
  })
}
