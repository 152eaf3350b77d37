/** The log of the metadata as a broker opens it: its own, whole, or repairable by others. */
import type { ReplicaKey } from '@naru/raft'
import { MetadataStoreError } from '../errors.ts'
import { diskOf, nodeOf } from '../replica-key.ts'
import { LevelRaftStorage } from './level-raft-storage.ts'

type LevelOptions = Parameters<typeof LevelRaftStorage.open>[0]

/** Throws METADATA_CORRUPT or IDENTITY_MISMATCH when no other node can make it usable. */
export async function openMetadataStorage(
  options: LevelOptions & { readonly self: ReplicaKey },
): Promise<LevelRaftStorage> {
  const { self, directory } = options
  const storage = await LevelRaftStorage.open(options)
  const problem = problemWith(storage, self, directory)
  if (problem === undefined) return storage
  await storage[Symbol.asyncDispose]()
  throw problem
}

function problemWith(
  { stored }: LevelRaftStorage,
  self: ReplicaKey,
  directory: string,
): MetadataStoreError | undefined {
  const { entries, snapshot, isRecovering } = stored
  const voters = entries.findLast(({ kind }) => kind === 'voters')
  const keys = voters?.kind === 'voters' ? voters.voters : (snapshot?.voters ?? [])
  const [only] = keys
  // With others there is somebody to get lost entries from, and somebody who knows who votes.
  if (only === undefined || keys.length > 1 || nodeOf(only) !== nodeOf(self)) return undefined
  if (only !== self) return replacedDisk(only, self, directory)
  if (!isRecovering) return undefined
  const usableTo = entries.at(-1)?.index ?? snapshot?.index ?? 0n
  return new MetadataStoreError('METADATA_CORRUPT', {
    directory,
    message: `Cannot read the metadata in ${directory}: entry ${usableTo + 1n} is damaged or missing`,
    hint: 'Restore the directory from a backup; the partition data beside it is not affected',
  })
}

/** The only voter was this node with another disk: nobody can lead. */
function replacedDisk(only: ReplicaKey, self: ReplicaKey, directory: string): MetadataStoreError {
  return new MetadataStoreError('IDENTITY_MISMATCH', {
    directory,
    message: `The metadata belongs to another log directory (directory.id ${diskOf(only)}), this one is ${diskOf(self)}`,
    hint: 'Put meta.properties back as it was, or start with an empty log.dirs',
  })
}
