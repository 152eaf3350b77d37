/** A failure in five parts: what failed and why, where, what to do, and a code that `naru errors` explains. */
import { styleText } from 'node:util'
import { type ConfigError, type KafkaError, type NaruErrorName, naruErrors } from '@naru/model'
import { exitCodes } from './exit-codes.ts'

interface FailureOptions {
  readonly exitCode?: number
  readonly where?: string | undefined
  readonly hint?: string | undefined
  /** What was done before it failed, for a command of many parts. */
  readonly outcome?: string | undefined
  readonly cause?: unknown
}

export class Failure extends Error {
  override readonly name = 'Failure'
  /** `NARU-…`, or `KAFKA-` and the number of the protocol's error. */
  readonly code: string
  readonly reason: string
  readonly exitCode: number
  readonly where: string | undefined
  readonly hint: string | undefined
  readonly outcome: string | undefined
  readonly #kind: NaruErrorName | KafkaError
  /** Set when the command's JSON document tells it, so that no second document does. */
  isInDocument = false

  constructor(kind: NaruErrorName | KafkaError, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause })
    const entry = typeof kind === 'string' ? naruErrors[kind] : kafkaEntry(kind)
    this.#kind = kind
    this.code = entry.code
    this.reason = entry.name
    this.exitCode = options.exitCode ?? exitCodes.failed
    this.where = options.where
    this.hint = options.hint ?? entry.remedy
    this.outcome = options.outcome
  }

  /** The same failure, told of a larger whole. */
  rephrased(message: string, options: Omit<FailureOptions, 'exitCode' | 'cause'>): Failure {
    const { exitCode, where, hint, outcome, cause } = this
    return new Failure(this.#kind, message, { exitCode, where, hint, outcome, cause, ...options })
  }

  /** As it stands in JSON documents. */
  toJSON(): Record<string, string> {
    const { code, reason, message, where, hint, outcome } = this
    const told = { code, reason, message, where, hint, outcome, docs: `naru errors ${code}` }
    const parts = Object.entries(told).filter(
      (part): part is [string, string] => part[1] !== undefined,
    )
    return Object.fromEntries(parts)
  }
}

/** The caller's mistake: nothing was sent. */
export function usage(message: string, hint?: string): Failure {
  return new Failure('USAGE', message, { exitCode: exitCodes.usage, hint })
}

const configReasons = {
  'NARU-CFG-001': 'UNKNOWN_KEY',
  'NARU-CFG-002': 'NOT_HONOURED',
  'NARU-CFG-003': 'INVALID_SETTING',
} as const

export function configFailure(error: ConfigError): Failure {
  const { message, code, hint } = error
  const options = { exitCode: exitCodes.usage, hint, cause: error }
  return new Failure(configReasons[code], message, options)
}

/** The lines that a person sees on standard error. */
export function failureText({ message, where, hint, outcome, code }: Failure): string {
  const cross = styleText('red', '✗', { stream: process.stderr })
  const lines = [`${cross} ${message}`]
  if (where !== undefined) lines.push(`  where: ${where}`)
  if (outcome !== undefined) lines.push(`  done: ${outcome}`)
  if (hint !== undefined) lines.push(`  hint: ${hint.replaceAll('\n', '\n  ')}`)
  lines.push(`  code: ${code}   docs: naru errors ${code}`)
  return `${lines.join('\n')}\n`
}

/** What to do about answers of a broker that people meet. */
const kafkaRemedies: Partial<Record<string, string>> = {
  BROKER_ID_NOT_REGISTERED: '`naru broker list` shows what there is',
  CLUSTER_AUTHORIZATION_FAILED: 'Ask for the permission, or use another listener',
  DUPLICATE_VOTER: '`naru quorum status` shows the voters',
  ELECTION_NOT_NEEDED: '`naru quorum status` shows who leads',
  INVALID_CONFIG: 'docs/CONFIG.md lists every key and what it takes',
  INVALID_PARTITIONS: 'Give a number from 1 on with --partitions',
  INVALID_REPLICATION_FACTOR: 'There must be a broker for each replica: give fewer with --replicas',
  INVALID_TOPIC_EXCEPTION: 'A name has 1 to 249 letters, digits, dots, underscores and hyphens',
  INVALID_TIMESTAMP: 'The clocks of this machine and of the broker differ: correct them',
  MESSAGE_TOO_LARGE: 'Raise max.message.bytes of the topic (naru topic set), or send less at once',
  NOT_ENOUGH_REPLICAS: 'Bring replicas back, or lower min.insync.replicas of the topic',
  OFFSET_OUT_OF_RANGE: '`naru topic describe NAME` shows the offsets that each partition holds',
  REQUEST_TIMED_OUT: '`naru cluster health` shows what is wrong; then look before you repeat it',
  TOPIC_ALREADY_EXISTS: '`naru topic describe NAME` shows it, `naru topic set` changes it',
  UNKNOWN_TOPIC_OR_PARTITION: '`naru topic list` shows what there is',
  VOTER_NOT_FOUND: '`naru quorum status` shows the voters',
}

export function kafkaEntry(error: KafkaError): { code: string; name: string; remedy?: string } {
  const passing = error.retriable ? 'Try again: this may pass' : undefined
  const remedy = kafkaRemedies[error.name] ?? passing
  const entry = { code: `KAFKA-${error.code}`, name: error.name }
  return remedy === undefined ? entry : { ...entry, remedy }
}
