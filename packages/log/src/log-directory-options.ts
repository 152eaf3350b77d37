import type { Clock, FileSystem, Logger, Random } from '@naru/base'
import type { LogDirectoryError } from './errors.ts'
import type { DirtyBytesMax } from './flusher.ts'
import type { LogConfig } from './log.ts'
import type { OpenFiles } from './open-files.ts'

export interface JournalSize {
  readonly fileCount: number
  readonly fileBytes: number
  readonly fileBytesMax: number
  readonly fileCountMax: number
}

export interface LogDirectoryOptions {
  readonly path: string
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly openFiles: OpenFiles
  readonly journal: JournalSize
  readonly dirtyBytesMax?: DirtyBytesMax
  /** Settings of a log that was found on the disk, by the name of its directory. */
  readonly configOf: (name: string) => LogConfig
  readonly onOffline: (error: LogDirectoryError) => void
}
