/** What the files of the brokers of `naru dev` say: written once, so that what a person changes in one stays. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listOf } from '@naru/model'
import { usage } from '../failure.ts'
import { attempt, type FoundBroker, fileOf, voterIds, votersOf } from './found-brokers.ts'
import { defaultPort, hasPorts, portsOf } from './port-rule.ts'

export interface BrokerPlace {
  readonly nodeId: number
  readonly file: string
  /** What the file is to say; undefined where it is there. */
  readonly lines: readonly string[] | undefined
  /** What the start says over it, as `key=value`. */
  readonly settings: readonly string[]
}

type Keys = Readonly<Record<string, string>>

interface Plan {
  readonly found: readonly FoundBroker[]
  readonly count: number
  /** Kafka port of broker 1. */
  readonly first: number
  /** Whether that comes before what the files say. */
  readonly isMoved: boolean
}

const voters = 'controller.quorum.voters'
const bootstrapServers = 'controller.quorum.bootstrap.servers'
const internalListeners = 'naru.internal.listeners'
const votersMax = 3

/** `port`: the Kafka port of broker 1, and those of the others by rule; undefined for what the files say. */
export function planBrokers(
  directory: string,
  found: readonly FoundBroker[],
  { count, port }: { count: number; port: number | undefined },
): BrokerPlace[] {
  const first = port ?? firstPort(found) ?? defaultPort
  const plan = { found, count, first, isMoved: port !== undefined }
  if (count > 1 && !hasPorts(count, first)) {
    throw usage(`There are no ports for ${count} brokers from ${first} on`)
  }
  const quorum = quorumKeys(plan)
  return Array.from({ length: count }, (_, index) => {
    const nodeId = index + 1
    const there = found.find((each) => each.nodeId === nodeId)
    const written = {
      'node.id': String(nodeId),
      ...listenerKeys(nodeId, first),
      ...quorum,
      'log.dirs': join(directory, `broker-${nodeId}`, 'data'),
    }
    return {
      nodeId,
      file: fileOf(directory, nodeId),
      lines: there === undefined ? linesOf(written) : undefined,
      settings: linesOf({ 'naru.log.format': 'json', ...keysOver(nodeId, there, plan) }),
    }
  })
}

export function writeFiles(places: readonly BrokerPlace[]): void {
  for (const { file, lines } of places) {
    if (lines === undefined) continue
    attempt(`Cannot write ${file}`, () => {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, [...lines, ''].join('\n'))
    })
  }
}

/**
 * What a new broker is told of the cluster. Who votes at first is settled when the first file is written. A cluster that began as a
 * single broker names nobody; the others look for it there, instead of founding a second one.
 */
function quorumKeys({ found, count, first }: Plan): Keys {
  const named = votersOf(found)
  if (named !== undefined) return { [voters]: named }
  const founder = found[0]
  if (founder !== undefined) {
    const own = founder.get(internalListeners)
    return { [bootstrapServers]: own || internalOf(founder.nodeId, first) }
  }
  if (count === 1) return {}
  const ids = Array.from({ length: Math.min(count, votersMax) }, (_, index) => index + 1)
  return { [voters]: votersText(ids, first) }
}

/** Other ports where they are asked for, and the listeners that files of earlier versions lack. */
function keysOver(nodeId: number, there: FoundBroker | undefined, plan: Plan): Keys {
  const { count, first, isMoved } = plan
  const keys = listenerKeys(nodeId, first)
  const isSaid = (key: string) => there === undefined || there.get(key) !== undefined
  const over = Object.entries(keys).filter(([key]) => isMoved || !isSaid(key))
  const set: Record<string, string> = Object.fromEntries(over)
  const ids = voterIds(there?.get(voters))
  const servers = there?.get(bootstrapServers)
  if (isMoved && ids.length > 0) set[voters] = votersText(ids, first)
  if (isMoved && servers) set[bootstrapServers] = internalOf(1, first)
  // Nobody would come there, and what serves it need not be loaded.
  if (count === 1 && ids.length === 0 && !servers) set[internalListeners] = ''
  return set
}

/** `listeners` first: without ports for the others there is that alone. */
function listenerKeys(nodeId: number, first: number): Keys {
  const { kafka, grpc } = portsOf(nodeId, first)
  const listeners = `PLAINTEXT://localhost:${kafka}`
  if (!hasPorts(nodeId, first)) return { listeners }
  return {
    listeners,
    'naru.grpc.listeners': `localhost:${grpc}`,
    [internalListeners]: internalOf(nodeId, first),
  }
}

function internalOf(nodeId: number, first: number): string {
  return `localhost:${portsOf(nodeId, first).internal}`
}

function votersText(ids: readonly number[], first: number): string {
  return ids.map((id) => `${id}@${internalOf(id, first)}`).join(',')
}

/** The Kafka port of broker 1, as the files have it; undefined where none can be read. */
function firstPort(found: readonly FoundBroker[]): number | undefined {
  const broker = found[0]
  const port = /:(\d{1,5})$/.exec(listOf(broker?.get('listeners') ?? '')[0] ?? '')?.[1]
  const first = Number(port) - ((broker?.nodeId ?? 1) - 1)
  return first > 0 ? first : undefined
}

function linesOf(keys: Keys): string[] {
  return Object.entries(keys).map(([key, value]) => `${key}=${value}`)
}
