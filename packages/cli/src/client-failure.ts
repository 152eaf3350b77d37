import { addressText, NaruError, type NaruErrorCode } from '@naru/client'
import type { NaruErrorName } from '@naru/model'
import { exitCodes } from './exit-codes.ts'
import { Failure } from './failure.ts'

const exits: Partial<Record<NaruErrorCode, number>> = {
  NARU_INVALID: exitCodes.usage,
  NARU_UNREACHABLE: exitCodes.unreachable,
  NARU_NOT_KAFKA: exitCodes.unreachable,
  NARU_TIMEOUT: exitCodes.timedOut,
}

const reasons: Record<Exclude<NaruErrorCode, 'NARU_BROKER'>, NaruErrorName> = {
  NARU_INVALID: 'INVALID_ADDRESS',
  NARU_UNREACHABLE: 'CONNECTION_LOST',
  NARU_NOT_KAFKA: 'NOT_KAFKA',
  NARU_TIMEOUT: 'REQUEST_TIMEOUT',
  NARU_CLOSED: 'CLOSED',
  NARU_UNSUPPORTED: 'UNSUPPORTED_API',
  NARU_OVERLOADED: 'OVERLOADED',
}

/** What a person is told when the client fails while it tries to do `activity`; what is not the client's is handed on. */
export function clientFailure(
  error: unknown,
  { activity, bootstrap }: { activity: string; bootstrap: Bootstrap },
): unknown {
  if (!NaruError.is(error)) return error
  const isLate = error.kafka?.name === 'REQUEST_TIMED_OUT'
  const exitCode = isLate ? exitCodes.timedOut : (exits[error.code] ?? exitCodes.failed)
  const options = { exitCode, where: whereOf(error, bootstrap), hint: error.hint, cause: error }
  if (error.kafka !== undefined) return new Failure(error.kafka, error.message, options)
  if (error.code === 'NARU_BROKER') return error
  const reason = error.reason ?? reasons[error.code]
  const hint = reason === 'CONNECTION_REFUSED' ? hintOfRefusal : error.hint
  return new Failure(reason, `Cannot ${activity}: ${error.message}`, { ...options, hint })
}

/** Where the address of the cluster comes from. */
export interface Bootstrap {
  readonly text: string
  readonly source: string
}

const hintOfRefusal = '`naru dev` starts a broker on localhost:9092; -b HOST:PORT names another one'

function whereOf({ at }: NaruError, { text, source }: Bootstrap): string {
  const cluster = `${text} (${source})`
  if (at === undefined || text.split(',').some((each) => each.trim() === addressText(at)))
    return cluster
  return `broker ${addressText(at)}, by way of ${cluster}`
}
