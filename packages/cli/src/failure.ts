import { styleText } from 'node:util'

/** A failure in five parts: what failed, why, where, what to do, and a code that can be looked up. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number
  readonly code: string
  readonly hint: string | undefined

  constructor(
    message: string,
    options: { exitCode: number; code: string; hint?: string; cause?: unknown },
  ) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode
    this.code = options.code
    this.hint = options.hint
  }
}

/** The lines that a person sees on standard error. */
export function renderFailure(failure: {
  message: string
  code: string
  hint?: string | undefined
}): string {
  const lines = [`${styleText('red', '✗', { stream: process.stderr })} ${failure.message}`]
  if (failure.hint !== undefined) lines.push(`  hint: ${failure.hint}`)
  lines.push(`  code: ${failure.code}`)
  return `${lines.join('\n')}\n`
}
