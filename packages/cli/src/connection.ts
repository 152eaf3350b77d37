import { type Client, connect, NaruError } from '@naru/client'
import { naruErrors } from '@naru/model'
import { exitCodes } from './exit-codes.ts'
import { Failure } from './failure.ts'

export interface ConnectionOptions {
  readonly bootstrap?: string
  readonly format: string
}

/** Runs a command with a client; its errors become failures with exit codes. */
export async function withClient<T>(
  options: ConnectionOptions,
  command: (client: Client) => Promise<T>,
): Promise<T> {
  if (options.format !== 'table' && options.format !== 'json') {
    const hint = 'Formats are table and json'
    throw new Failure(`Unknown format ${options.format}`, usage(hint))
  }
  const bootstrap =
    options.bootstrap ??
    process.env['NARU_BOOTSTRAP'] ??
    process.env['KAFKA_BOOTSTRAP_SERVERS'] ??
    'localhost:9092'
  try {
    await using client = await connect(bootstrap, { clientId: 'naru-cli', retryMs: 5_000 })
    return await command(client)
  } catch (error) {
    throw clientFailure(error)
  }
}

/** Options for a failure that is the caller's mistake: nothing was sent. */
export function usage(hint?: string): { exitCode: number; code: string; hint?: string } {
  const options = { exitCode: exitCodes.usage, code: 'NARU-CLI-001' }
  return hint === undefined ? options : { ...options, hint }
}

function clientFailure(error: unknown): unknown {
  if (!NaruError.is(error)) return error
  const isAway = error.code === 'NARU_UNREACHABLE' || error.code === 'NARU_NOT_KAFKA'
  const timedOut = error.code === 'NARU_TIMEOUT' ? exitCodes.timedOut : exitCodes.failed
  const options = {
    exitCode: isAway ? exitCodes.unreachable : timedOut,
    code: error.reason === undefined ? error.code : naruErrors[error.reason].code,
    cause: error,
  }
  return new Failure(
    error.message,
    error.hint === undefined ? options : { ...options, hint: error.hint },
  )
}
