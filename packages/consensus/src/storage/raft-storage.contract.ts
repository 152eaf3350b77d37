/** What every storage of a replica must do; run by the tests of each. */
import type { Entry, Persist } from '@naru/raft'
import { expect, it } from 'vitest'
import type { RaftStorage } from './raft-storage.ts'

export function entry(index: number, term: number, text = `e${index}`): Entry {
  return { index: BigInt(index), term: BigInt(term), kind: 'data', payload: Buffer.from(text) }
}

export function entries(from: number, to: number, term: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term))
}

export function write(change: Partial<Persist>): Persist {
  return { hardState: undefined, reset: undefined, entries: [], ...change }
}

/** `reopen` ends the process that had the storage open, and starts another on the same disk. */
export function raftStorageContract(
  open: () => Promise<{ storage: RaftStorage; reopen: () => Promise<RaftStorage> }>,
): void {
  it('is empty when it is new', async () => {
    const { storage } = await open()
    const { hardState, snapshot, entries: found, isRecovering } = storage.stored
    expect(hardState).toEqual({ term: 0n, vote: undefined })
    expect({ snapshot, found, isRecovering }).toEqual({
      snapshot: undefined,
      found: [],
      isRecovering: false,
    })
    await storage[Symbol.asyncDispose]()
  })

  it('keeps term, vote and entries of every kind', async () => {
    const { storage, reopen } = await open()
    const log: Entry[] = [
      { index: 1n, term: 1n, kind: 'voters', voters: ['1/a', '2/b'] },
      { index: 2n, term: 1n, kind: 'noop' },
      entry(3, 2),
      { index: 4n, term: 2n, kind: 'data', payload: Buffer.alloc(0) },
    ]
    await storage.persist(write({ hardState: { term: 2n, vote: '2/b' }, entries: log }))
    const again = await reopen()
    expect(again.stored.hardState).toEqual({ term: 2n, vote: '2/b' })
    expect(again.stored.entries).toEqual(log)
    await again[Symbol.asyncDispose]()
  })

  it('replaces what is stored from the first entry of a write on', async () => {
    const { storage, reopen } = await open()
    await storage.persist(
      write({ hardState: { term: 1n, vote: undefined }, entries: entries(1, 9, 1) }),
    )
    await storage.persist(
      write({ hardState: { term: 2n, vote: undefined }, entries: entries(4, 5, 2) }),
    )
    const again = await reopen()
    expect(again.stored.entries).toEqual([...entries(1, 3, 1), ...entries(4, 5, 2)])
    await again.persist(write({ entries: entries(6, 7, 2) }))
    const third = await reopen()
    expect(third.stored.entries).toEqual([...entries(1, 3, 1), ...entries(4, 7, 2)])
    await third[Symbol.asyncDispose]()
  })

  it('starts from the newest snapshot and the entries that follow it', async () => {
    const { storage, reopen } = await open()
    await storage.persist(write({ entries: entries(1, 9, 1) }))
    const snapshot = { index: 6n, term: 1n, voters: ['1/a'] }
    await storage.saveSnapshot(snapshot, Buffer.from('state at six'))
    await storage.compact(4n)
    const again = await reopen()
    expect(again.stored.snapshot).toEqual(snapshot)
    expect(again.stored.entries).toEqual(entries(7, 9, 1))
    expect(String(await again.loadSnapshot(6n))).toBe('state at six')
    await again.persist(write({ entries: entries(10, 10, 1) }))
    const third = await reopen()
    expect(third.stored.entries).toEqual(entries(7, 10, 1))
    await third[Symbol.asyncDispose]()
  })

  it('takes a snapshot piece by piece from another storage, and drops the log that it replaces', async () => {
    const source = await open()
    const snapshot = { index: 20n, term: 3n, voters: ['1/a', '2/b'] }
    const state = Buffer.from('x'.repeat(1_000))
    await source.storage.saveSnapshot(snapshot, state)
    const { storage, reopen } = await open()
    await storage.persist(write({ entries: entries(1, 30, 2) }))
    for (let offset = 0, isLast = false; !isLast; ) {
      const piece = await source.storage.readSnapshot(20n, offset, 300)
      await storage.receive(snapshot, offset, piece?.data as Buffer)
      offset += piece?.data.length as number
      isLast = piece?.isLast as boolean
    }
    expect(await storage.finishReceived(snapshot)).toEqual(state)
    // The process dies before it could drop the old log: it is of another history, and must not come back.
    const again = await reopen()
    expect(again.stored.snapshot).toEqual(snapshot)
    expect(again.stored.entries).toEqual([])
    await again.persist(write({ reset: snapshot, entries: entries(21, 22, 3) }))
    const third = await reopen()
    expect(third.stored.entries).toEqual(entries(21, 22, 3))
    await third[Symbol.asyncDispose]()
    await source.storage[Symbol.asyncDispose]()
  })

  it('says that a snapshot is not there', async () => {
    const { storage } = await open()
    expect(await storage.readSnapshot(5n, 0, 100)).toBeUndefined()
    expect(await storage.loadSnapshot(5n)).toBeUndefined()
    await storage[Symbol.asyncDispose]()
  })
}
