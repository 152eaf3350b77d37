import { type KafkaError, kafkaErrorByCode } from '@naru/model'

export type NaruErrorCode =
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
  /** Whether what was asked for has happened, has not, or cannot be known. */
  readonly outcome: 'applied' | 'not-applied' | 'unknown'
  readonly hint: string | undefined

  constructor(
    code: NaruErrorCode,
    message: string,
    options: {
      kafka?: KafkaError
      outcome?: NaruError['outcome']
      hint?: string
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.kafka = options.kafka
    this.outcome = options.outcome ?? 'not-applied'
    this.hint = options.hint
  }

  /** The same call may succeed later. */
  get isRetriable(): boolean {
    if (this.kafka !== undefined) return this.kafka.retriable
    return this.code === 'NARU_UNREACHABLE' || this.code === 'NARU_TIMEOUT'
  }

  static is(error: unknown, code?: NaruErrorCode): error is NaruError {
    return error instanceof NaruError && (code === undefined || error.code === code)
  }
}

/** Throws when a broker's answer is an error. */
export function checkAnswer(errorCode: number, what: string, message: string | null = null): void {
  if (errorCode === 0) return
  const kafka = kafkaErrorByCode(errorCode)
  const reason = message ?? kafka.description
  throw new NaruError('NARU_BROKER', `Cannot ${what}: ${reason} (${kafka.name}, ${kafka.code})`, {
    kafka,
  })
}
