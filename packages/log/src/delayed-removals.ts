import type { Clock, FileSystem, Timer } from '@naru/base'
import { deletedSuffix } from './file-names.ts'

/** Files and directories that have lost their names already, and go a while later: a reader may be in the middle of one. */
export class DelayedRemovals {
  readonly #options: {
    readonly fileSystem: FileSystem
    readonly clock: Clock
    /** Makes durable that logs are gone which have lost their names: a start would miss them. */
    readonly forget: () => Promise<void>
    readonly onError: (error: unknown) => void
  }
  readonly #timers = new Set<Timer>()

  constructor(options: {
    fileSystem: FileSystem
    clock: Clock
    forget: () => Promise<void>
    onError: (error: unknown) => void
  }) {
    this.#options = options
  }

  add(delayMs: number, path: string): void {
    const { fileSystem, clock, forget, onError } = this.#options
    const timer = clock.setTimer(delayMs, () => {
      this.#timers.delete(timer)
      const removal = path.endsWith(deletedSuffix)
        ? fileSystem.remove(path)
        : forget().then(() => fileSystem.removeDirectory(path))
      removal.catch(onError)
    })
    this.#timers.add(timer)
  }

  /** The next start removes what is left. */
  cancel(): void {
    for (const timer of this.#timers) timer.cancel()
  }
}
