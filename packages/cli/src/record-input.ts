/** Records from the lines of a file or of standard input. */
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { NewRecord } from '@naru/client'
import { exitCodes } from './exit-codes.ts'
import { Failure } from './failure.ts'
import { fromHere } from './working-directory.ts'

export interface Input {
  /** For people: a path, or `standard input`. */
  readonly name: string
  readonly stream: Readable
  readonly isTerminal: boolean
}

/** Opened before anything is sent: a name that is wrong costs nothing. */
export async function openInput(file: string | undefined): Promise<Input> {
  if (file === undefined || file === '-') {
    const { stdin } = process
    return { name: 'standard input', stream: stdin, isTerminal: stdin.isTTY === true }
  }
  try {
    const handle = await open(fromHere(file))
    if ((await handle.stat()).isDirectory()) throw unreadable(file, { code: 'EISDIR' })
    return { name: file, stream: handle.createReadStream(), isTerminal: false }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw unreadable(file, error as NodeJS.ErrnoException)
  }
}

/** The record of a line; undefined when the separator of key and value is not in it. */
export function recordOfLine(
  line: Buffer,
  template: NewRecord,
  separator: string | undefined,
): NewRecord | undefined {
  if (separator === undefined) return { ...template, value: line }
  const at = line.indexOf(separator)
  if (at < 0) return undefined
  const value = line.subarray(at + Buffer.byteLength(separator))
  return { ...template, key: line.subarray(0, at), value }
}

const reasons: Partial<Record<string, string>> = {
  EACCES: 'it may not be read',
  EISDIR: 'it is a directory',
  ENOENT: 'there is no such file',
}

export function unreadable(
  name: string,
  error: { readonly code?: string | undefined; readonly message?: string },
  exitCode: number = exitCodes.usage,
): Failure {
  const reason = reasons[error.code ?? ''] ?? error.message
  return new Failure('UNREADABLE_INPUT', `Cannot read ${name}: ${reason}`, {
    exitCode,
    cause: error,
  })
}
