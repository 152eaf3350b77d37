// Snapshots beside a log that goes on while they are written.
import { MemoryDisk, MemoryRaftStorage } from '@naru/consensus'
import type { Raft } from '@naru/raft'
import { beforeEach, expect, it } from 'vitest'
import { SnapshotExchange } from '../../consensus/src/snapshot-exchange.ts'

/** What the exchange asks of the core. */
class Core {
  commitIndex = 9n
  readonly installed: bigint[] = []
  readonly log = {
    termAt: () => 1n,
    baseIndex: 0n,
    get commitIndex() {
      return core.commitIndex
    },
  }

  votersAt(): string[] {
    return ['1/a']
  }

  snapshotTaken(): void {}
  chunkStored(): void {}
  chunkUnavailable(): void {}

  snapshotInstalled({ index }: { index: bigint }): void {
    this.installed.push(index)
  }
}

let core: Core
let disk: MemoryDisk
let state: string
let restored: string[]
let storage: MemoryRaftStorage
let exchange: SnapshotExchange

beforeEach(() => {
  core = new Core()
  disk = new MemoryDisk()
  state = 'nine'
  restored = []
  storage = new MemoryRaftStorage(disk)
  exchange = new SnapshotExchange({
    raft: core as unknown as Raft,
    storage,
    stateMachine: {
      apply() {},
      snapshot: async () => Buffer.from(state),
      restore: (bytes) => restored.push(bytes.toString()),
    },
    chunkBytes: 100,
    stateBytes: 0,
    onRestored() {},
    onProgress() {},
    onError(error) {
      throw error
    },
  })
})

it('a snapshot is the state at its index, whatever is applied until it is written', async () => {
  // Something is under way before it.
  exchange.send({ to: '2/b', snapshot: { index: 3n, term: 1n, voters: [] }, offset: 0 })
  exchange.take(9n)
  state = 'ten'
  await turns()
  expect(String(disk.snapshots.get(9n)?.data)).toBe('nine')
})

it('a received snapshot takes the place of what lies behind it', async () => {
  receive(20n)
  await turns()
  expect(restored).toEqual(['twenty'])
  expect(core.installed).toEqual([20n])
})

it('a received snapshot that the log has passed meanwhile does not set the state back', async () => {
  const { finishReceived } = storage
  // Appends come while the last piece is checked and put in place.
  storage.finishReceived = (snapshot) => {
    core.commitIndex = 25n
    return finishReceived.call(storage, snapshot)
  }
  receive(20n)
  await turns()
  expect(restored).toEqual([])
  expect(core.installed).toEqual([20n])
})

function receive(index: bigint): void {
  const snapshot = { index, term: 1n, voters: ['1/a'] }
  exchange.store({ snapshot, offset: 0, data: Buffer.from('twenty'), isLast: true })
}

/** Everything that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}
