/** What a cluster shows in the end against what clients were told while it was broken. */
import { eventually } from './eventually.ts'
import type { TestCluster } from './test-cluster.ts'
import type { Creation } from './topic-creators.ts'

type Shown = readonly { readonly name: string | null; readonly topicId: string }[]

/** What is wrong with the topics that one broker shows, given all that was ever asked for. */
export function wrongTopics(creations: readonly Creation[], shown: Shown): string[] {
  const ids = new Map<string, string[]>()
  for (const { name, topicId } of shown)
    ids.set(name ?? '', [...(ids.get(name ?? '') ?? []), topicId])
  const problems: string[] = []
  for (const { name, outcome } of creations) {
    const found = ids.get(name) ?? []
    if (found.length > 1) problems.push(`${name} is there ${found.length} times`)
    if (outcome.kind === 'acknowledged' && found.length === 0) problems.push(`${name} is lost`)
    if (outcome.kind === 'acknowledged' && found.length > 0 && found[0] !== outcome.topicId) {
      problems.push(`${name} is another topic than the one that was acknowledged`)
    }
    if (outcome.kind === 'refused' && found.length > 0) {
      problems.push(`${name} is there, and was refused: ${outcome.why}`)
    }
    ids.delete(name)
  }
  for (const name of ids.keys()) problems.push(`nobody asked for ${name}`)
  return problems
}

/** What is wrong in the end: brokers may take a while to follow, and then all of them show the same. */
export async function auditCreations(
  cluster: TestCluster,
  creations: readonly Creation[],
  withinMs = 30_000,
): Promise<string[]> {
  const lists = await Promise.all(
    cluster.active.map((broker) => settled(cluster, broker.id, { creations, withinMs })),
  )
  const [first, ...others] = lists
  const problems = lists.flatMap(({ id, problems: own }) => own.map((each) => `${id}: ${each}`))
  for (const { id, ids } of others) {
    if (ids !== first?.ids) problems.push(`brokers ${first?.id} and ${id} show different topics`)
  }
  return problems
}

async function settled(
  cluster: TestCluster,
  id: number,
  { creations, withinMs }: { creations: readonly Creation[]; withinMs: number },
) {
  let problems: string[] = [`broker ${id} does not answer`]
  let ids = ''
  const look = async () => {
    const shown = await cluster.topicsSeenBy(cluster.broker(id))
    if (shown === undefined) return undefined
    problems = wrongTopics(creations, shown)
    ids = shown
      .map(({ name, topicId }) => `${name}=${topicId}`)
      .sort()
      .join()
    return problems.length === 0 || undefined
  }
  await eventually('a broker shows what was acknowledged', look, withinMs).catch(() => {})
  return { id, problems, ids }
}

/** Percentiles of times in milliseconds and how they are spread, to be read. */
export function histogram(title: string, times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  const figure = (ms: number | undefined) => `${Math.round(ms ?? Number.NaN)} ms`
  const head = `${title}: ${times.length} times, p50 ${figure(at(0.5))}, p99 ${figure(at(0.99))}, max ${figure(sorted.at(-1))}`
  const bins = Map.groupBy(sorted, (ms) => Math.floor(ms / 50) * 50)
  const rows = [...bins].map(
    ([from, own]) => `${String(from).padStart(6)} ms ${'#'.repeat(own.length)} ${own.length}`,
  )
  return [head, ...rows].join('\n')
}
