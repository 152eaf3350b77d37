import type { Address } from '@naru/base'
import {
  type KafkaError,
  kafkaErrorByCode,
  kafkaErrors,
  type NaruErrorName,
  naruErrors,
} from '@naru/model'

export type NaruErrorCode =
  | 'NARU_INVALID'
  | 'NARU_UNREACHABLE'
  | 'NARU_NOT_KAFKA'
  | 'NARU_TIMEOUT'
  | 'NARU_CLOSED'
  | 'NARU_UNSUPPORTED'
  | 'NARU_BROKER'
  | 'NARU_OVERLOADED'

/** What a call comes to when it fails. Match on `code`, and for answers of a broker on `kafka`. */
export class NaruError extends Error {
  override readonly name = 'NaruError'
  readonly code: NaruErrorCode
  /** The broker's answer, when it gave one. */
  readonly kafka: KafkaError | undefined
  /** More exactly than `code`, where no broker has answered: an entry of docs/ERRORS.md. */
  readonly reason: NaruErrorName | undefined
  /** The broker that was asked. */
  readonly at: Address | undefined
  /** Whether what was asked for has happened, has not, or cannot be known. */
  readonly outcome: 'applied' | 'not-applied' | 'unknown'
  readonly hint: string | undefined

  constructor(
    code: NaruErrorCode,
    message: string,
    options: {
      kafka?: KafkaError
      reason?: NaruErrorName
      at?: Address
      outcome?: NaruError['outcome']
      hint?: string
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.kafka = options.kafka
    this.reason = options.reason
    this.at = options.at
    this.outcome = options.outcome ?? 'not-applied'
    this.hint = options.hint ?? (options.reason && naruErrors[options.reason].remedy)
  }

  /** The same call may succeed later. */
  get isRetriable(): boolean {
    if (this.kafka !== undefined) return this.kafka.retriable
    return this.code === 'NARU_UNREACHABLE' || this.code === 'NARU_TIMEOUT'
  }

  /** The same error after an attempt whose outcome is not known. */
  asUnknown(): NaruError {
    const { kafka, reason, at, hint } = this
    const known = { ...(kafka && { kafka }), ...(reason && { reason }), ...(at && { at }) }
    const options = { ...known, ...(hint && { hint }), outcome: 'unknown', cause: this } as const
    return new NaruError(this.code, this.message, options)
  }

  static is(error: unknown, code?: NaruErrorCode): error is NaruError {
    return error instanceof NaruError && (code === undefined || error.code === code)
  }
}

/** Answers of a broker that began and did not finish. */
const mayHaveHappened: readonly KafkaError[] = [
  kafkaErrors.REQUEST_TIMED_OUT,
  kafkaErrors.NETWORK_EXCEPTION,
  kafkaErrors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
]

/** Throws when a broker's answer is an error: cannot do `what`, for the reason that the broker at `at` gives. */
export function checkAnswer(
  errorCode: number,
  what: string,
  told: { message?: string | null | undefined; at?: Address } = {},
): void {
  if (errorCode !== 0) throw refusedBy(kafkaErrorByCode(errorCode), what, told)
}

export function refusedBy(
  kafka: KafkaError,
  what: string,
  { message, at }: { message?: string | null | undefined; at?: Address },
): NaruError {
  const reason = message ?? kafka.description
  const text = `Cannot ${what}: ${reason} (${kafka.name}, ${kafka.code})`
  const outcome = mayHaveHappened.includes(kafka) ? 'unknown' : 'not-applied'
  return new NaruError('NARU_BROKER', text, { kafka, outcome, ...(at && { at }) })
}
