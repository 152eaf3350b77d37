import { exitCodes } from './exit-codes.ts'

/** A Ctrl-C reaches a whole group of processes, and launchers like npm pass it on once more: that is one, not two. */
const sameMs = 500

/** Given by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  let firstAt = 0
  const stop = () => {
    if (!controller.signal.aborted) {
      firstAt = performance.now()
      controller.abort()
    } else if (performance.now() - firstAt > sameMs) {
      process.exit(exitCodes.interrupted)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  return controller.signal
}
