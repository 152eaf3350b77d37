import type { Entry, Snapshot } from './entry.ts'

/**
 * What of the stored entries continues a snapshot. A snapshot from a leader may have replaced entries that still lie on the disk:
 * they count only where the log up to the snapshot is the one that it was taken of.
 */
export function entriesAfter(snapshot: Snapshot, entries: readonly Entry[]): readonly Entry[] {
  const at = entries.find(({ index }) => index === snapshot.index)
  const isSameLog =
    at === undefined ? entries[0]?.index === snapshot.index + 1n : at.term === snapshot.term
  return isSameLog ? entries.filter(({ index }) => index > snapshot.index) : []
}
