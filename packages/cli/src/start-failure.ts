import { FileSystemError, TransportError } from '@naru/base'
import { MetadataStoreError, SessionError } from '@naru/consensus'
import { LogDirectoryError } from '@naru/log'
import { ConfigError } from '@naru/model'
import { configFailure, Failure } from './failure.ts'

/** What commonly keeps a broker from starting, in words. */
export function startFailure(error: unknown): unknown {
  if (error instanceof TransportError) {
    const reason = error.code === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'UNUSABLE_ADDRESS'
    return new Failure(reason, error.message, { cause: error })
  }
  if (error instanceof FileSystemError || error instanceof LogDirectoryError) {
    return new Failure('UNUSABLE_DIRECTORY', error.message, { cause: error })
  }
  if (error instanceof MetadataStoreError) {
    const { code, message, hint } = error
    return new Failure(code, message, { hint, cause: error })
  }
  if (error instanceof SessionError) {
    const { kafka, message, hint } = error
    return new Failure(kafka, message, { hint, cause: error })
  }
  return error instanceof ConfigError ? configFailure(error) : error
}
