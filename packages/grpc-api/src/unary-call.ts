import type { handleUnaryCall } from '@grpc/grpc-js'
import type { Clock, Logger, Random } from '@naru/base'
import { kafkaErrors } from '@naru/model'
import { answerHeaders, statusWithDetails } from './call-status.ts'
import type { CallsInWork } from './calls-in-work.ts'
import type { CallError } from './error-map.ts'

/** How long the server works for a call that came without a deadline. */
export const timeoutMsDefault = 30_000

/** An answer that is a refusal. */
export class Refused {
  readonly reason: CallError

  constructor(reason: CallError) {
    this.reason = reason
  }
}

export interface CallContext {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly requestId: string
}

export type UnaryHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response | Refused>

export interface CallPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly inWork: CallsInWork
}

/** What every unary call has: an id, a deadline, a signal, and errors with details. */
export function unaryCall<Request, Response extends object>(
  { clock, random, logger, inWork }: CallPorts,
  handle: UnaryHandler<Request, Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const requestId = random.bytes(8).toString('hex')
    const abort = new AbortController()
    let isOver = false
    inWork.start()
    const deadlineMs = Number(call.getDeadline())
    const isBounded = Number.isFinite(deadlineMs)
    const timeoutMs = isBounded ? Math.max(0, deadlineMs - clock.now()) : timeoutMsDefault

    const finish = (answer: () => void) => {
      if (isOver) return
      isOver = true
      timer.cancel()
      inWork.end()
      answer()
    }
    const refuse = (reason: CallError) =>
      finish(() => callback(statusWithDetails(reason, requestId)))

    const timer = clock.setTimer(timeoutMs, () => {
      refuse({ error: kafkaErrors.REQUEST_TIMED_OUT, message: `Not done in ${timeoutMs} ms` })
      abort.abort()
    })
    call.on('cancelled', () => finish(() => abort.abort()))
    const headers = answerHeaders(requestId)
    headers.set('naru-timeout-ms', String(Math.round(timeoutMs)))
    call.sendMetadata(headers)

    handle(call.request, { signal: abort.signal, requestId }).then(
      (answer) => {
        if (answer instanceof Refused) refuse(answer.reason)
        else finish(() => callback(null, answer))
      },
      (error: unknown) => {
        logger.error('call-failed', { method: call.getPath(), requestId, error })
        refuse({ error: kafkaErrors.UNKNOWN_SERVER_ERROR })
      },
    )
  }
}
