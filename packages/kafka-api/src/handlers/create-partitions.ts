import type { Refusal } from '@naru/metadata'
import { refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'

type Wanted = RequestOf<typeof apis.createPartitions>['topics'][number]

export function createPartitions({ topics, clock }: Pick<Ports, 'topics' | 'clock'>) {
  return defineHandler(apis.createPartitions, async (request) => {
    const left = timeLeft(clock, request.timeoutMs)
    const results: ResponseOf<typeof apis.createPartitions>['results'] = []
    for (const [name, wanted] of Map.groupBy(request.topics, (topic) => topic.name)) {
      const refused =
        wanted.length > 1
          ? refusal(kafkaErrors.INVALID_REQUEST, 'The request names the topic twice')
          : await grow(wanted[0] as Wanted, request.validateOnly, left())
      results.push({ name, ...outcomeOf(refused) })
    }
    return { throttleTimeMs: 0, results }
  })

  function grow(
    wanted: Wanted,
    validateOnly: boolean,
    timeoutMs: number,
  ): Promise<Refusal | undefined> {
    const { name, count } = wanted
    const assignments = wanted.assignments?.map(({ brokerIds }) => brokerIds) ?? null
    return topics.grow({ name, count, assignments }, validateOnly, timeoutMs)
  }
}
