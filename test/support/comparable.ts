/** Answers of two brokers in a form in which they can be compared: what differs by nature is replaced by a word. */
import { batchesOf, compressionOf, hasLogAppendTime, readBatchHeader } from '@naru/records'

/** Timestamps that a broker made lie after this; those that the questions use lie before. */
const startedMs = Date.now()

/** Arrays whose order has no meaning: Kafka's is that of a hash table. */
const unordered = new Set([
  'topics',
  'responses',
  'results',
  'configs',
  'apiKeys',
  'configResources',
  'activeProducers',
  'partitionResponses',
])

export interface ComparableOptions {
  /** The order of topics is part of the answer, as in Fetch. */
  readonly isOrdered?: boolean
  /** More arrays whose order has no meaning. */
  readonly unordered?: string
}

/** One for each broker: ids are named in the order in which they are first seen. */
export class Comparables {
  readonly #names = new Map<string, string>()

  of(value: unknown, options: ComparableOptions = {}): unknown {
    return this.#value('', value, options)
  }

  #value(key: string, value: unknown, options: ComparableOptions): unknown {
    const replaced = this.#replaced(key, value)
    if (replaced !== undefined) return replaced
    if (typeof value === 'bigint') return Number(value)
    if (Buffer.isBuffer(value)) return [...batchesOf(value)].map((batch) => this.#batch(batch))
    if (Array.isArray(value)) {
      const elements = value
        .filter((element) => !(key === 'configs' && isOurs(element)))
        .map((element) => this.#value('', element, options))
      const isSorted =
        options.isOrdered !== true && (unordered.has(key) || options.unordered === key)
      return isSorted ? sorted(elements) : elements
    }
    if (typeof value !== 'object' || value === null) return value
    return this.#object(value, options)
  }

  #object(value: object, options: ComparableOptions): unknown {
    const entries = Object.entries(value)
    const hasFailed = entries.some(([key, each]) => key === 'errorCode' && each !== 0)
    const isProduce = entries.some(([key]) => key === 'recordErrors')
    // The words of an error are each broker's own; where the log begins is no part of a refused append.
    const isOwn = (key: string) =>
      hasFailed && (key === 'errorMessage' || (isProduce && key === 'logStartOffset'))
    return Object.fromEntries(
      entries
        .filter(([key]) => !isOwn(key))
        .map(([key, each]) => [key, this.#value(key, each, options)]),
    )
  }

  #replaced(key: string, value: unknown): unknown {
    switch (key) {
      case 'topicId':
        return value === 'AAAAAAAAAAAAAAAAAAAAAA' ? 'none' : this.#name('topic', String(value))
      case 'producerId':
        return value === -1n ? -1 : this.#name('producer', String(value))
      case 'sessionId':
        return value === 0 ? 0 : this.#name('session', String(value))
      case 'clusterId':
        return typeof value === 'string' && value !== '' ? 'cluster' : undefined
      case 'host':
        return value === '' ? undefined : 'host'
      case 'port':
        return value === -1 ? undefined : 'port'
      case 'logDir':
        return 'directory'
      case 'totalBytes':
      case 'usableBytes':
      case 'finalizedFeaturesEpoch':
        return typeof value === 'bigint' && value > 0n ? 'some' : undefined
      case 'documentation':
      case 'batchIndexErrorMessage':
        return value === null ? undefined : 'words'
      case 'logAppendTimeMs':
      case 'timestamp':
      case 'lastTimestamp':
        return typeof value === 'bigint' ? time(value) : undefined
      default:
        return undefined
    }
  }

  #batch(batch: Buffer): unknown {
    const header = readBatchHeader(batch)
    const { baseOffset, lastOffset, leaderEpoch, recordCount, attributes } = header
    const { producerEpoch, baseSequence } = header
    return {
      offsets: `${baseOffset}-${lastOffset}`,
      leaderEpoch,
      recordCount,
      codec: compressionOf(attributes),
      hasLogAppendTime: hasLogAppendTime(attributes),
      maxTimestamp: time(header.maxTimestamp),
      baseTimestamp: time(header.baseTimestamp),
      producerEpoch,
      baseSequence,
    }
  }

  #name(kind: string, id: string): string {
    const known = this.#names.get(`${kind} ${id}`)
    if (known !== undefined) return known
    const count = [...this.#names.keys()].filter((each) => each.startsWith(`${kind} `)).length
    const name = `${kind} ${count + 1}`
    this.#names.set(`${kind} ${id}`, name)
    return name
  }
}

/** Settings that Kafka does not have. */
function isOurs(config: { name?: unknown }): boolean {
  return typeof config.name === 'string' && config.name.startsWith('naru.')
}

function time(value: bigint): number | string {
  return value >= BigInt(startedMs) ? 'now' : Number(value)
}

function sorted(elements: unknown[]): unknown[] {
  return elements
    .map((element) => ({ element, text: JSON.stringify(element) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ element }) => element)
}

export interface Difference {
  /** What was asked and where in the answer, with slashes between. */
  readonly path: string
  readonly kafka: unknown
  readonly naru: unknown
}

/** Where two answers differ; lists of different length differ as a whole. */
export function differencesOf(kafka: unknown, naru: unknown, path = ''): Difference[] {
  if (JSON.stringify(kafka) === JSON.stringify(naru)) return []
  const isComparable =
    isCollection(kafka) &&
    isCollection(naru) &&
    Array.isArray(kafka) === Array.isArray(naru) &&
    (!Array.isArray(kafka) || kafka.length === (naru as unknown as unknown[]).length)
  if (!isComparable) return [{ path, kafka, naru }]
  const keys = new Set([...Object.keys(kafka), ...Object.keys(naru)])
  return [...keys].flatMap((key) => {
    const segment = nameOf(kafka[key], naru[key]) ?? key
    return differencesOf(kafka[key], naru[key], `${path}/${segment}`)
  })
}

/** What two elements of a list are called, if both are called the same. */
function nameOf(kafka: unknown, naru: unknown): string | undefined {
  if (!isCollection(kafka) || !isCollection(naru)) return undefined
  const name = kafka['name']
  return typeof name === 'string' && name === naru['name'] ? name : undefined
}

function isCollection(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}
