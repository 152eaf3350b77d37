import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js'
import type { Clock } from '@naru/base'
import { kafkaErrors } from '@naru/model'
import { answerHeaders, statusWithDetails } from './call-status.ts'
import type { CallError } from './error-map.ts'
import { type CallContext, type CallPorts, Refused } from './unary-call.ts'

/** Ends with the first refusal. */
export type StreamHandler<Request, Message> = (
  request: Request,
  context: CallContext,
) => AsyncGenerator<Message | Refused>

export interface StreamPorts extends CallPorts {
  /** Aborted when the server stops: streams have no end of their own. */
  readonly stopping: AbortSignal
}

/** How long a client may take nothing. */
const stalledMsMax = 30_000
const stopped: CallError = {
  error: kafkaErrors.BROKER_NOT_AVAILABLE,
  message: 'The broker stops: go on at another one',
}
const stalled: CallError = {
  error: kafkaErrors.THROTTLING_QUOTA_EXCEEDED,
  message: `The client took nothing for ${stalledMsMax / 1000} s: go on where the last message says`,
}

/**
 * What every call with many answers has: an id, a signal, errors with details, and one message at a time: the next one is asked
 * for when the client has taken the last. It lasts as long as the client and the server do.
 */
export function streamCall<Request, Message extends object>(
  { clock, random, logger, inWork, stopping }: StreamPorts,
  handle: StreamHandler<Request, Message>,
): handleServerStreamingCall<Request, Message> {
  return (call) => {
    const requestId = random.bytes(8).toString('hex')
    const abort = new AbortController()
    const stop = () => abort.abort(stopped)
    inWork.start()
    call.on('cancelled', () => abort.abort())
    if (stopping.aborted) stop()
    stopping.addEventListener('abort', stop)
    call.sendMetadata(answerHeaders(requestId))

    const finish = (reason: CallError | undefined) => {
      stopping.removeEventListener('abort', stop)
      inWork.end()
      if (reason !== undefined) call.emit('error', statusWithDetails(reason, requestId))
      else call.end()
    }
    const messages = handle(call.request, { signal: abort.signal, requestId })
    send(call, messages, { clock, signal: abort.signal }).then(finish, (error: unknown) => {
      logger.error('call-failed', { method: call.getPath(), requestId, error })
      finish({ error: kafkaErrors.UNKNOWN_SERVER_ERROR })
    })
  }
}

/** Resolves with why it ends before its time, if it does. */
async function send<Request, Message extends object>(
  call: ServerWritableStream<Request, Message>,
  messages: AsyncGenerator<Message | Refused>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<CallError | undefined> {
  for await (const message of messages) {
    if (signal.aborted) break
    if (message instanceof Refused) return message.reason
    if (!(await isTaken(call, message, { clock, signal })) && !signal.aborted) return stalled
  }
  return signal.reason === stopped ? stopped : undefined
}

/** Whether the client takes the message before its time is over; of several that wait, the library would hold 16. */
function isTaken<Request, Message extends object>(
  call: ServerWritableStream<Request, Message>,
  message: Message,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isOut: boolean) => {
      timer.cancel()
      signal.removeEventListener('abort', giveUp)
      resolve(isOut)
    }
    const giveUp = () => settle(false)
    const timer = clock.setTimer(stalledMsMax, giveUp)
    signal.addEventListener('abort', giveUp)
    call.write(message, () => settle(true))
    if (signal.aborted) giveUp()
  })
}
