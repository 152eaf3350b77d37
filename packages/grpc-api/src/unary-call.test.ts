import { EventEmitter } from 'node:events'
import { type Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js'
import { type Clock, silentLogger } from '@naru/base'
import { systemRandom } from '@naru/platform'
import { describe, expect, it } from 'vitest'
import { CallsInWork } from './calls-in-work.ts'
import { type CallContext, unaryCall } from './unary-call.ts'

/** A call in the hands of the server, at 1,000 ms, with a handler that answers when it is told to. */
function called(deadline: number | Date = Number.POSITIVE_INFINITY) {
  const timers: { delayMs: number; fire: () => void; isCancelled: boolean }[] = []
  const clock: Clock = {
    now: () => 1_000,
    monotonic: () => 0,
    setTimer: (delayMs, fire) => {
      const timer = { delayMs, fire, isCancelled: false }
      timers.push(timer)
      return {
        cancel: () => {
          timer.isCancelled = true
        },
      }
    },
    afterTurn: () => {},
  }
  const inWork = new CallsInWork()
  const answer = Promise.withResolvers<object>()
  const answers: unknown[] = []
  let context: CallContext | undefined
  let headers: Record<string, unknown> = {}
  const call = Object.assign(new EventEmitter(), {
    request: {},
    getDeadline: () => deadline,
    getPath: () => '/service/Method',
    sendMetadata: (metadata: Metadata) => {
      headers = metadata.getMap()
    },
  }) as unknown as ServerUnaryCall<object, object>
  unaryCall({ clock, random: systemRandom, logger: silentLogger, inWork }, (_, given) => {
    context = given
    return answer.promise
  })(call, (error, value) => answers.push(error ?? value))
  return { call, answer, answers, timer: timers[0]!, headers, inWork, signal: context!.signal }
}

/** Lets what is resolved have its effects. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a unary call', () => {
  it('answers once and leaves no timer', async () => {
    const { call, answer, answers, timer, inWork, signal } = called()
    answer.resolve({ a: 1 })
    await settled()
    // gRPC says so at the end of every call.
    call.emit('cancelled')
    expect(answers).toEqual([{ a: 1 }])
    expect(timer.isCancelled).toBe(true)
    expect(signal.aborted).toBe(false)
    await inWork.whenIdle()
  })

  it('is aborted when the client leaves, and not answered', async () => {
    const { call, answer, answers, inWork, signal } = called()
    call.emit('cancelled')
    expect(signal.aborted).toBe(true)
    await inWork.whenIdle()
    answer.resolve({})
    await settled()
    expect(answers).toEqual([])
  })

  it('is aborted at its deadline, and answered with that', async () => {
    const { answer, answers, timer, headers, signal } = called()
    expect(timer.delayMs).toBe(30_000)
    expect(headers['naru-timeout-ms']).toBe('30000')
    timer.fire()
    expect(signal.aborted).toBe(true)
    answer.resolve({})
    await settled()
    expect(answers).toMatchObject([{ code: status.DEADLINE_EXCEEDED }])
  })

  it.each([
    [new Date(6_000), 5_000],
    [61_000, 60_000],
    [900, 0],
  ])("has the client's deadline: at %s in %i ms", (deadline, timeoutMs) => {
    const { timer, headers } = called(deadline)
    expect(timer.delayMs).toBe(timeoutMs)
    expect(headers['naru-timeout-ms']).toBe(String(timeoutMs))
  })
})
