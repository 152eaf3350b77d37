/** A broken invariant: a bug. Never caught except at the top of the process and by the simulator. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Stays on in production: a process that has lost an invariant ends and recovers instead of guessing. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
