import type { ReplicaKey } from '@naru/raft'
import type { RaftStorage } from './storage/raft-storage.ts'

/**
 * A storage whose log says that `self` is its only voter: an empty one is given such an entry, and so is the log of a broker from
 * before there were voters.
 */
export async function foundQuorumOfOne<S extends RaftStorage>(
  open: () => Promise<S>,
  self: ReplicaKey,
): Promise<S> {
  const storage = await open()
  const { snapshot, entries, hardState } = storage.stored
  const hasVoters = snapshot !== undefined || entries.some(({ kind }) => kind === 'voters')
  if (hasVoters) return storage
  const last = entries.at(-1)
  const term = last === undefined || last.term < 1n ? 1n : last.term
  await storage.persist({
    hardState: { term: hardState.term > term ? hardState.term : term, vote: self },
    reset: undefined,
    entries: [{ index: (last?.index ?? 0n) + 1n, term, kind: 'voters', voters: [self] }],
  })
  await storage[Symbol.asyncDispose]()
  return open()
}
