/** A log directory that can no longer be trusted or used: an input/output error, a lock, a foreign disk. */
export class LogDirectoryError extends Error {
  override readonly name = 'LogDirectoryError'
  readonly code:
    | 'LOG_DIRECTORY_OFFLINE'
    | 'LOG_CORRUPT'
    | 'LOG_DELETED'
    | 'LOG_EXISTS'
    | 'LOG_UNIDENTIFIED'
  readonly directory: string

  constructor(
    code: LogDirectoryError['code'],
    directory: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause })
    this.code = code
    this.directory = directory
  }
}

export function logDeleted(directory: string, name: string): LogDirectoryError {
  return new LogDirectoryError('LOG_DELETED', directory, `${name} is deleted`)
}

export function directoryOffline(directory: string, cause: unknown): LogDirectoryError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `Log directory ${directory} is offline: ${reason}`
  return new LogDirectoryError('LOG_DIRECTORY_OFFLINE', directory, message, cause)
}
