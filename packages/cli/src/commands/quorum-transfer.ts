import { NaruError, type QuorumView } from '@naru/client'
import { type KafkaError, kafkaErrors } from '@naru/model'
import { confirm } from '../confirmation.ts'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'
import { done } from '../style.ts'

export interface TransferOptions extends ConnectionOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

interface Transfer {
  readonly id: number
  readonly before: number
  /** Of the leader: before it when it is only planned. */
  readonly term: number
}

export const view: View<Transfer> = {
  kind: 'LeaderTransfer',
  name: ({ id }) => String(id),
  fields: [
    { name: 'id', type: 'int32', value: ({ id }) => id },
    { name: 'before', type: 'int32', value: ({ before }) => before },
    { name: 'term', type: 'int32', value: ({ term }) => term },
  ],
}

export function run(id: number, options: TransferOptions): Promise<void> {
  const { format, dryRun: isDry = false } = options
  const activity = `make voter ${id} the leader`
  return withClient(options, activity, async ({ admin: { cluster } }) => {
    const quorum = await cluster.quorum()
    check(id, quorum, activity)
    const plan = { id, before: quorum.leader, term: quorum.leaderEpoch }
    if (!isDry && options.yes !== true) {
      await confirm(sentenceOf(plan), { answer: 'y', ask: 'Do it? (y/n)' })
    }
    if (!isDry) await cluster.transferLeader(id).catch(unlessUnknown)
    const row = isDry ? plan : { ...plan, term: ledBy(id, await cluster.quorum(), activity) }
    const text = () => (isDry ? `would ${sentenceOf(row)}\n` : doneText(row))
    await printRows(view, [row], { format, text, document: { applied: !isDry } })
  })
}

/** Who leads says whether it happened, where nothing else does. */
function unlessUnknown(error: unknown): void {
  if (!NaruError.is(error) || error.outcome !== 'unknown') throw error
}

function check(id: number, { voters, leader }: QuorumView, activity: string): void {
  const ids = voters.map(({ nodeId }) => nodeId)
  if (!ids.includes(id)) {
    const hint = `Voters are ${ids.sort((a, b) => a - b).join(', ')}`
    throw refused(kafkaErrors.VOTER_NOT_FOUND, `Cannot ${activity}: it is none`, hint)
  }
  if (id !== leader) return
  throw refused(kafkaErrors.ELECTION_NOT_NEEDED, `Cannot ${activity}: it is the leader`)
}

/** Its term. The old leader hands over to the voter that is meant, yet who leads is for the voters to say. */
function ledBy(id: number, { leader, leaderEpoch }: QuorumView, activity: string): number {
  if (leader === id) return leaderEpoch
  const message = `Cannot ${activity}: voter ${leader} leads`
  throw refused(kafkaErrors.PREFERRED_LEADER_NOT_AVAILABLE, message)
}

function refused(kafka: KafkaError, text: string, hint?: string): NaruError {
  const message = `${text} (${kafka.name}, ${kafka.code})`
  return new NaruError('NARU_BROKER', message, { kafka, ...(hint !== undefined && { hint }) })
}

function sentenceOf({ id, before }: Transfer): string {
  return `have voter ${id} lead the quorum instead of voter ${before}; until it does, nothing can be created or changed`
}

function doneText({ id, before, term }: Transfer): string {
  return `${done(`voter ${id} leads`)}  term ${term}, before it voter ${before}\n`
}
