/** Runs `work` for each item, at most `limit` at a time. Rejects with the first failure, after those under way have ended. */
export async function forEachParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const runner = async () => {
    while (next < items.length) await work(items[next++] as T)
  }
  const results = await Promise.allSettled(
    Array.from({ length: Math.min(limit, items.length) }, runner),
  )
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
