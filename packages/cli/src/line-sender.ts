import { addAbortSignal } from 'node:stream'
import type { NewRecord, Producer, Sent } from '@naru/client'
import { exitCodes } from './exit-codes.ts'
import { Failure } from './failure.ts'
import { linesOf } from './input-lines.ts'
import type { ProduceReport } from './produce-report.ts'
import { type Input, unreadable } from './record-input.ts'
import { SendWindow } from './send-window.ts'

/** A line is one record in memory: what a broker takes at most is far less. */
const lineBytesMax = 64 << 20

export interface LineSender {
  readonly producer: Producer
  readonly input: Input
  readonly report: ProduceReport
  readonly interrupted: AbortSignal
  /** The record of a line, or why it cannot be one. */
  recordOf(line: Buffer): NewRecord | string
  sent(line: number, sent: Sent): Promise<void>
  lost(line: number, failure: Failure): Promise<void>
  asFailure(error: unknown): unknown
}

/** Sends each line as a record, until the input ends, a line is refused or somebody interrupts; accounts for every line that was read. */
export async function sendLines(sender: LineSender): Promise<void> {
  const { input, report } = sender
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, sender.interrupted])
  const window = new SendWindow()
  let bug: unknown
  const send = async (line: Buffer, number: number) => {
    try {
      const record = sender.recordOf(line)
      if (typeof record === 'string') throw invalidLine(record)
      const sent = await sender.producer.send(record)
      report.sent(sent)
      await sender.sent(number, sent)
    } catch (error) {
      stop.abort()
      const failure = sender.asFailure(error)
      if (!(failure instanceof Failure)) bug ??= failure
      else await sender.lost(number, report.lose(number, failure))
    } finally {
      window.leave(line.length)
    }
  }
  try {
    for await (const line of linesOf(addAbortSignal(signal, input.stream), lineBytesMax)) {
      await window.enter(line.length)
      if (signal.aborted) {
        window.leave(line.length)
        break
      }
      report.read++
      void send(line, report.read)
    }
  } catch (error) {
    if (!signal.aborted) {
      const number = report.read + 1
      await sender.lost(number, report.lose(number, inputFailure(error as Error, input)))
    }
  }
  await window.idle()
  if (bug !== undefined) throw bug
}

function invalidLine(problem: string): Failure {
  return new Failure('INVALID_LINE', `Cannot write: ${problem}`)
}

function inputFailure(error: NodeJS.ErrnoException, { name }: Input): Failure {
  if (error instanceof RangeError) return invalidLine(error.message)
  if (error.code === undefined) throw error
  return unreadable(name, error, exitCodes.failed)
}
