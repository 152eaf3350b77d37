const pauseMs = 10

/** Looks again until there is something. Rejects when the time is over, with what was waited for. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() >= deadline) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** The same for something that takes its own time: rejects when it does not come. */
export function within<T>(withinMs: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`Not within ${withinMs} ms: ${what}`))
    const timer = setTimeout(late, withinMs)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
