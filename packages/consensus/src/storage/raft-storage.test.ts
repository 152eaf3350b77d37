// The contract of a replica's disk on memory and on real files, and real files that are damaged (R12 of the Raft rules).
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@naru/base'
import { nodeFileSystem } from '@naru/platform'
import { afterEach, describe, expect, it } from 'vitest'
import { LevelRaftStorage } from './level-raft-storage.ts'
import { MemoryDisk, MemoryRaftStorage } from './memory-raft-storage.ts'
import { entries, raftStorageContract, write } from './raft-storage.contract.ts'

const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

function openLevelStorage(directory: string): Promise<LevelRaftStorage> {
  return LevelRaftStorage.open({ directory, fileSystem: nodeFileSystem, logger: silentLogger })
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'raft-storage-'))
  directories.push(directory)
  return directory
}

describe('in memory', () => {
  raftStorageContract(async () => {
    const disk = new MemoryDisk()
    return { storage: new MemoryRaftStorage(disk), reopen: async () => new MemoryRaftStorage(disk) }
  })
})

describe('in level', () => {
  raftStorageContract(async () => {
    const directory = newDirectory()
    let storage = await openLevelStorage(directory)
    const reopen = async () => {
      await storage[Symbol.asyncDispose]()
      storage = await openLevelStorage(directory)
      return storage
    }
    return { storage, reopen }
  })
})

describe('damage on real files', () => {
  /** A closed storage with forty entries of term 3, each in a write of its own. */
  async function filled(): Promise<string> {
    const directory = newDirectory()
    const storage = await openLevelStorage(directory)
    await storage.persist(write({ hardState: { term: 3n, vote: '1/a' } }))
    for (let index = 1; index <= 40; index++) {
      await storage.persist(write({ entries: entries(index, index, 3) }))
    }
    await storage[Symbol.asyncDispose]()
    return directory
  }

  function levelLog(directory: string): string {
    const folder = directory
    const logs = readdirSync(folder).filter((name) => name.endsWith('.log'))
    const largest = logs.sort(
      (a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size,
    )[0]
    return join(folder, largest as string)
  }

  function flip(path: string, position: number): void {
    const bytes = readFileSync(path)
    bytes[position] = (bytes[position] as number) ^ 0x10
    writeFileSync(path, bytes)
  }

  it.each(Array.from({ length: 12 }, (_, at) => at))(
    'at byte %i of a record in the middle is noticed, although LevelDB opens it without a word',
    async (at) => {
      const directory = await filled()
      const log = levelLog(directory)
      flip(log, Math.floor(statSync(log).size / 2) + at)
      const storage = await openLevelStorage(directory)
      expect(storage.stored).toMatchObject({ isRecovering: true, recoveries: 1 })
      expect(storage.stored.hardState).toEqual({ term: 3n, vote: '1/a' })
      const { length } = storage.stored.entries
      expect(length).toBeLessThan(40)
      expect(storage.stored.entries).toEqual(entries(1, length, 3))
      await storage[Symbol.asyncDispose]()
      // And it is not forgotten by the next start, until the replica has everything back.
      const again = await openLevelStorage(directory)
      expect(again.stored).toMatchObject({ isRecovering: true, recoveries: 1 })
      await again.noteRecovered()
      await again[Symbol.asyncDispose]()
      const third = await openLevelStorage(directory)
      expect(third.stored).toMatchObject({ isRecovering: false, recoveries: 1 })
      await third[Symbol.asyncDispose]()
    },
  )

  it('at the very end is a write that was cut off, and nobody was told of it', async () => {
    const directory = await filled()
    const log = levelLog(directory)
    writeFileSync(log, readFileSync(log).subarray(0, statSync(log).size - 5))
    const storage = await openLevelStorage(directory)
    expect(storage.stored.isRecovering).toBe(false)
    expect(storage.stored.entries).toEqual(entries(1, 39, 3))
    await storage[Symbol.asyncDispose]()
  })

  it('of the newer slot leaves the older term and vote, never none', async () => {
    const directory = newDirectory()
    const storage = await openLevelStorage(directory)
    for (const term of [1n, 2n, 3n]) {
      await storage.persist(write({ hardState: { term, vote: '1/a' } }))
    }
    await storage[Symbol.asyncDispose]()
    // The third write went to the second slot. Cut off in its middle, as by a loss of power.
    flip(join(directory, 'hard-state'), 4096 + 30)
    const again = await openLevelStorage(directory)
    expect(again.stored.hardState.term).toBe(2n)
    await again[Symbol.asyncDispose]()
  })

  it('of both slots stops the start: what was voted for is not known', async () => {
    const directory = await filled()
    for (const position of [30, 4096 + 30]) flip(join(directory, 'hard-state'), position)
    await expect(openLevelStorage(directory)).rejects.toMatchObject({ code: 'METADATA_CORRUPT' })
  })

  it('of a snapshot leaves the one before', async () => {
    const directory = newDirectory()
    const storage = await openLevelStorage(directory)
    await storage.persist(write({ entries: entries(1, 9, 1) }))
    for (const index of [3n, 6n]) {
      await storage.saveSnapshot({ index, term: 1n, voters: [] }, Buffer.from(`state ${index}`))
    }
    await storage[Symbol.asyncDispose]()
    const file = join(directory, 'snapshots', 'snapshot-6-1')
    flip(file, statSync(file).size - 2)
    const again = await openLevelStorage(directory)
    expect(again.stored.snapshot?.index).toBe(3n)
    expect(again.stored.entries).toEqual(entries(4, 9, 1))
    await again[Symbol.asyncDispose]()
  })

  it('that took the whole store away is noticed by the slots', async () => {
    const directory = newDirectory()
    const storage = await openLevelStorage(directory)
    await storage.persist(
      write({ hardState: { term: 1n, vote: undefined }, entries: entries(1, 1_500, 1) }),
    )
    await storage[Symbol.asyncDispose]()
    for (const name of readdirSync(directory)) {
      if (!/^(hard-state|snapshots)$/.test(name)) rmSync(join(directory, name))
    }
    const again = await openLevelStorage(directory)
    expect(again.stored).toMatchObject({ isRecovering: true, entries: [] })
    await again[Symbol.asyncDispose]()
  })
})
