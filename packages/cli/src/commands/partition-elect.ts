import type { Client, NamedPartition, PartitionOutcome, PartitionView } from '@naru/client'
import { kafkaErrorByCode, kafkaErrors } from '@naru/model'
import { confirm } from '../confirmation.ts'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { Failure, usage } from '../failure.ts'
import { printRows, type View } from '../output.ts'
import { nameOf, partitionNamed } from '../partition-name.ts'
import { counted, done } from '../style.ts'

export interface ElectOptions extends ConnectionOptions {
  readonly all?: boolean
  readonly unclean?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
}

interface Election extends NamedPartition {
  /** -1 for nobody. */
  readonly before: number
  readonly leader: number
  readonly result: 'elected' | 'not-needed' | 'failed' | 'planned'
  readonly failure: Failure | undefined
}

export const view: View<Election> = {
  kind: 'Election',
  name: nameOf,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'before', type: 'int32', value: ({ before }) => (before < 0 ? null : before) },
    { name: 'leader', type: 'int32', value: ({ leader }) => (leader < 0 ? null : leader) },
    { name: 'result', type: 'string', value: ({ result }) => result },
    { name: 'reason', type: 'string', value: ({ failure }) => failure?.reason },
  ],
}

export async function run(named: readonly NamedPartition[], options: ElectOptions): Promise<void> {
  if ((named.length === 0) === (options.all !== true)) {
    throw usage('Name the partitions, or give --all, and not both')
  }
  const activity = options.unclean === true ? 'elect leaders uncleanly' : 'elect preferred leaders'
  await withClient(options, activity, async (client) => {
    for (const each of named) await partitionNamed(client, each, activity)
    const wanted = await wantedOf(client, named, options)
    if (options.dryRun === true) return report(wanted.map(planned), options)
    if (options.unclean === true && options.yes !== true && wanted.length > 0) {
      await confirm(...questionFor(wanted))
    }
    if (wanted.length === 0) return report([], options)
    const outcomes = await client.admin.partitions.elect(kindOf(options), wanted)
    await report(electionsOf(outcomes, wanted, await statesNow(client, wanted)), options)
  })
}

function kindOf({ unclean }: ElectOptions): 'preferred' | 'unclean' {
  return unclean === true ? 'unclean' : 'preferred'
}

/** Those that are named, or all that need it. */
async function wantedOf(
  client: Client,
  named: readonly NamedPartition[],
  options: ElectOptions,
): Promise<PartitionView[]> {
  const topics = options.all === true ? null : [...new Set(named.map(({ topic }) => topic))]
  const known = await client.admin.partitions.list(topics)
  if (options.all !== true) {
    const names = new Set(named.map(nameOf))
    return known.filter((partition) => names.has(nameOf(partition)))
  }
  return known.filter(({ leader, replicas }) =>
    options.unclean === true ? leader < 0 : leader !== replicas[0],
  )
}

async function statesNow(client: Client, wanted: readonly NamedPartition[]) {
  const topics = [...new Set(wanted.map(({ topic }) => topic))]
  const now = await client.admin.partitions.list(topics)
  return new Map(now.map((partition) => [nameOf(partition), partition]))
}

function planned(partition: PartitionView): Election {
  const { topic, leader } = partition
  const plan = { topic, partition: partition.partition, before: leader, leader }
  return { ...plan, result: 'planned', failure: undefined }
}

function electionsOf(
  outcomes: readonly PartitionOutcome[],
  wanted: readonly PartitionView[],
  now: ReadonlyMap<string, PartitionView>,
): Election[] {
  const before = new Map(wanted.map((partition) => [nameOf(partition), partition.leader]))
  return outcomes.map(({ topic, partition, errorCode, errorMessage }) => {
    const name = nameOf({ topic, partition })
    const leader = now.get(name)?.leader ?? -1
    const election = { topic, partition, before: before.get(name) ?? -1, leader }
    if (errorCode === kafkaErrors.NONE.code) {
      return { ...election, result: 'elected', failure: undefined }
    }
    const kafka = kafkaErrorByCode(errorCode)
    if (kafka === kafkaErrors.ELECTION_NOT_NEEDED) {
      return { ...election, result: 'not-needed', failure: undefined }
    }
    const why = `${errorMessage ?? kafka.description} (${kafka.name}, ${kafka.code})`
    const hint = `\`naru partition why ${name}\` says what keeps its replicas from leading`
    const failure = new Failure(kafka, `Cannot elect a leader of ${name}: ${why}`, { hint })
    return { ...election, result: 'failed', failure }
  })
}

/** What failed is in the document, and for people at the end. */
async function report(elections: readonly Election[], options: ElectOptions): Promise<void> {
  const { format, dryRun: isDry = false } = options
  const failures = elections.flatMap(({ failure }) => failure ?? [])
  const text = () => (isDry ? planText(elections, kindOf(options)) : doneText(elections))
  const document = { applied: !isDry, errors: failures }
  await printRows(view, elections, { format, text, document })
  const [first] = failures
  if (first === undefined) return
  const more = failures.length > 1 ? `, and ${failures.length - 1} more like it` : ''
  const failed = first.rephrased(`${first.message}${more}`, {})
  failed.isInDocument = format === 'json' || format === 'ndjson'
  throw failed
}

function doneText(elections: readonly Election[]): string {
  const made = elections.filter(({ result }) => result === 'elected')
  const idle = elections.filter(({ result }) => result === 'not-needed')
  const lines = made.map((election) => {
    return done(
      `${nameOf(election)} is led by ${election.leader}, before it ${who(election.before)}`,
    )
  })
  const kept = idle.map(
    (election) => `  ${nameOf(election)} needs none: ${election.leader} leads\n`,
  )
  if (elections.length === 0) return 'no partition needs an election\n'
  return [...lines, ...kept].join('')
}

function planText(elections: readonly Election[], kind: 'preferred' | 'unclean'): string {
  const name = kind === 'unclean' ? 'unclean' : 'preferred'
  const lines = elections.map((each) => `  ${nameOf(each)}, led by ${who(each.before)}\n`)
  const count = counted(elections.length, 'partition')
  return `would hold an election (${name}) of ${count}\n${lines.join('')}`
}

/** Records may be lost, so it is typed in full. */
function questionFor(wanted: readonly PartitionView[]): Parameters<typeof confirm> {
  const [first] = wanted
  const what = wanted.length === 1 ? nameOf(first as PartitionView) : `${wanted.length} partitions`
  const plan = `have a replica of ${what} lead that may lack acknowledged records, which are then lost`
  if (wanted.length === 1) {
    return [plan, { answer: what, ask: 'Type the name of the partition to do it:' }]
  }
  return [plan, { answer: 'lose records', ask: 'Type "lose records" to do it:' }]
}

function who(nodeId: number): string {
  return nodeId < 0 ? 'nobody' : String(nodeId)
}
