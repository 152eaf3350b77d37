/** The brokers that earlier starts of `naru dev` have made, as their files are now. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, listOf, parseProperties } from '@naru/model'
import { exitCodes } from '../exit-codes.ts'
import { configFailure, Failure, usage } from '../failure.ts'
import { brokersMax } from './port-rule.ts'

export interface FoundBroker {
  readonly nodeId: number
  /** The value of a key; undefined where the file does not have it. */
  readonly get: (key: string) => string | undefined
}

/** By node id. */
export function findBrokers(directory: string): FoundBroker[] {
  if (!existsSync(directory)) return []
  return attempt(`Cannot read ${directory}`, () => readdirSync(directory))
    .map((name) => Number(/^broker-([1-9]\d{0,2})$/.exec(name)?.[1]))
    .filter((nodeId) => nodeId <= brokersMax && existsSync(fileOf(directory, nodeId)))
    .sort((a, b) => a - b)
    .map((nodeId) => ({ nodeId, get: readKeys(fileOf(directory, nodeId)) }))
}

/** As many as replicas are kept of a partition, so that one of them may die. */
const usualCount = 3

/** How many brokers run: as many as before, where nobody says. */
export function brokerCount(
  directory: string,
  found: readonly FoundBroker[],
  asked: number | undefined,
): number {
  // Voters are named when the first file is written: without them there is no cluster.
  const ids = [...found.map(({ nodeId }) => nodeId), ...voterIds(votersOf(found))]
  const known = Math.max(0, ...ids)
  const count = asked ?? (known === 0 ? usualCount : known)
  if (known > brokersMax) {
    throw usage(`Cannot run broker ${known}: there are ${brokersMax} at most`)
  }
  if (count >= known) return count
  const what = count === 1 ? 'one broker' : `${count} brokers`
  const message = `Cannot run ${what}: ${directory} has ${known}`
  const hint = `-n ${known} runs all of them; --directory begins another cluster elsewhere`
  throw new Failure('FEWER_BROKERS', message, { exitCode: exitCodes.usage, hint })
}

export function fileOf(directory: string, nodeId: number): string {
  return join(directory, `broker-${nodeId}`, 'server.properties')
}

export function votersOf(found: readonly FoundBroker[]): string | undefined {
  return found.map(({ get }) => get('controller.quorum.voters')).find(Boolean)
}

export function voterIds(voters = ''): number[] {
  return listOf(voters)
    .map((entry) => Number(/^(\d{1,9})@/.exec(entry)?.[1]))
    .filter((nodeId) => !Number.isNaN(nodeId))
}

export function attempt<T>(what: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new Failure('UNUSABLE_DIRECTORY', `${what}: ${code}`, { cause: error })
  }
}

function readKeys(file: string): FoundBroker['get'] {
  const text = attempt(`Cannot read ${file}`, () => readFileSync(file, 'utf8'))
  try {
    const values = new Map(parseProperties(text, file).map(({ name, value }) => [name, value]))
    return (key) => values.get(key)
  } catch (error) {
    throw error instanceof ConfigError ? configFailure(error) : error
  }
}
