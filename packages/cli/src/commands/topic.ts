import { createInterface } from 'node:readline/promises'
import type { Client, TopicView } from '@naru/client'
import { type ConnectionOptions, usage, withClient } from '../connection.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { printJson, printTable } from '../output.ts'

interface CreateOptions extends ConnectionOptions {
  readonly partitions: string
  readonly replicas: string
  readonly config: readonly string[]
  readonly dryRun?: boolean
}

export function create(name: string, options: CreateOptions): Promise<void> {
  const partitions = count(options.partitions, '--partitions')
  const replicas = count(options.replicas, '--replicas')
  const configs = settings(options.config)
  return withClient(options, async ({ admin }) => {
    const validateOnly = options.dryRun === true
    const created = await admin.createTopic(name, { partitions, replicas, configs, validateOnly })
    if (options.format === 'json')
      printJson({ kind: 'Topic', name, ...created, applied: !validateOnly })
    else {
      const verb = validateOnly ? 'would create' : 'created'
      console.log(
        `✓ ${verb} ${name} · ${created.partitions} partitions · ${created.replicas} replicas`,
      )
    }
  })
}

export function list(options: ConnectionOptions): Promise<void> {
  return withClient(options, async ({ admin }) => {
    const topics = await admin.listTopics()
    const items = topics.map(({ name, partitions }) => {
      return { name, partitions: partitions.length, replicas: partitions[0]?.replicas.length ?? 0 }
    })
    if (options.format === 'json') printJson({ apiVersion: 'naru/v1', kind: 'TopicList', items })
    else {
      const rows = items.map((item) => [item.name, String(item.partitions), String(item.replicas)])
      printTable(['NAME', 'PARTITIONS', 'REPLICAS'], rows)
    }
  })
}

export function describe(name: string, options: ConnectionOptions): Promise<void> {
  return withClient(options, async (client) => {
    const topic = await client.admin.describeTopic(name)
    const partitions = await withOffsets(client, topic)
    const settings = await client.admin.describeSettings(name)
    const own = settings.filter(({ source }) => source === 'topic')
    const { topicId } = topic
    if (options.format === 'json') {
      const configs = Object.fromEntries(own.map((setting) => [setting.name, setting.value]))
      printJson({ apiVersion: 'naru/v1', kind: 'Topic', name, topicId, partitions, configs })
      return
    }
    console.log(`${name} · id ${topicId}`)
    for (const setting of own) console.log(`  ${setting.name}=${setting.value}`)
    const rows = partitions.map((p) =>
      [p.partition, p.leader, p.leaderEpoch, p.replicas, p.isr, p.start, p.end].map(String),
    )
    printTable(['PARTITION', 'LEADER', 'EPOCH', 'REPLICAS', 'ISR', 'START', 'END'], rows)
  })
}

export function set(
  name: string,
  changes: readonly string[],
  options: ConnectionOptions & { dryRun?: boolean },
): Promise<void> {
  const wanted = Object.fromEntries(
    Object.entries(settings(changes)).map(([key, value]) => [
      key,
      value === '' ? undefined : value,
    ]),
  )
  const validateOnly = options.dryRun === true
  return withClient(options, async ({ admin }) => {
    await admin.alterSettings(name, wanted, { validateOnly })
    if (options.format === 'json') printJson({ kind: 'Topic', name, applied: !validateOnly })
    else console.log(`✓ ${validateOnly ? 'would configure' : 'configured'} ${name}`)
  })
}

export function remove(
  name: string,
  options: ConnectionOptions & { yes?: boolean; dryRun?: boolean },
): Promise<void> {
  return withClient(options, async (client) => {
    const topic = await client.admin.describeTopic(name)
    const offsets = await withOffsets(client, topic)
    const records = offsets.reduce((sum, { start, end }) => sum + (end - start), 0n)
    const plan = `delete ${name}: ${topic.partitions.length} partitions, ${records} records`
    const isDry = options.dryRun === true
    if (!isDry && options.yes !== true) await confirm(plan, name)
    if (!isDry) await client.admin.deleteTopic(name)
    if (options.format === 'json') printJson({ kind: 'Topic', name, records, applied: !isDry })
    else console.log(isDry ? `would ${plan}` : `✓ deleted ${name}`)
  })
}

/** Losing data is asked for by name, by a person or by --yes. */
async function confirm(plan: string, name: string): Promise<void> {
  if (process.stdin.isTTY !== true) {
    throw new Failure(`Cannot ${plan}: nobody is there to confirm it`, {
      exitCode: exitCodes.refused,
      code: 'NARU-CLI-002',
      hint: 'Add --yes',
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${plan}\nType the name to confirm: `)
  terminal.close()
  if (answer === name) return
  throw new Failure('Not confirmed', { exitCode: exitCodes.refused, code: 'NARU-CLI-002' })
}

async function withOffsets({ admin }: Client, topic: TopicView) {
  const offsets = await admin.offsets(topic)
  return topic.partitions.map((partition) => {
    return { ...partition, ...(offsets.get(partition.partition) ?? { start: 0n, end: 0n }) }
  })
}

function settings(texts: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at < 1) throw new Failure(`Cannot read "${text}"`, usage('Write key=value'))
    found[text.slice(0, at)] = text.slice(at + 1)
  }
  return found
}

function count(text: string, flag: string): number {
  const number = Number(text)
  if (text === '-1' || (Number.isInteger(number) && number > 0)) return number
  throw new Failure(`${flag} ${text} is not a positive number`, usage())
}
