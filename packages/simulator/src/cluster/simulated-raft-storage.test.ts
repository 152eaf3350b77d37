// The simulated storage is one: it does what every storage of a replica does, and loses what it may lose.
import { FileSystemError } from '@naru/base'
import { expect, it } from 'vitest'
import {
  entries,
  raftStorageContract,
  write,
} from '../../../consensus/src/storage/raft-storage.contract.ts'
import { SeededRandom } from '../seeded-random.ts'
import { SimulatedClock } from '../simulated-clock.ts'
import { SimulatedProcess } from '../simulated-process.ts'
import { RaftDisk } from './raft-disk.ts'
import { SimulatedRaftStorage } from './simulated-raft-storage.ts'

const random = new SeededRandom(1)

class Machine {
  readonly clock = new SimulatedClock()
  readonly disk = new RaftDisk('1/a')
  process = new SimulatedProcess(this.clock)
  isFailing = false

  open(): Promise<SimulatedRaftStorage> {
    return SimulatedRaftStorage.open(this.disk, {
      process: this.process,
      delayMs: () => 1,
      fails: () => this.isFailing,
      onPersist() {},
      onReceived() {},
      onSnapshot() {},
    })
  }

  end(isPowerLost: boolean): void {
    this.process.kill()
    this.disk.interrupt(random, { isPowerLost })
    this.process = new SimulatedProcess(this.clock)
  }

  async restart(isPowerLost = false): Promise<SimulatedRaftStorage> {
    this.end(isPowerLost)
    return this.clock.drive(this.open())
  }
}

/** Virtual time passes whenever somebody waits. */
function driven(machine: Machine, storage: SimulatedRaftStorage): SimulatedRaftStorage {
  return new Proxy(storage, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => machine.clock.drive(value.apply(target, args))
    },
  })
}

raftStorageContract(async () => {
  const machine = new Machine()
  return {
    storage: driven(machine, await machine.clock.drive(machine.open())),
    reopen: async () => driven(machine, await machine.restart()),
  }
})

it('has a write under way whole, in part or not at all when its process dies, never entries newer than the term', async () => {
  const seen = new Set<string>()
  for (let round = 0; round < 60; round++) {
    const machine = new Machine()
    const storage = await machine.clock.drive(machine.open())
    const hardState = { term: 3n, vote: '1/a' }
    void storage.persist(write({ hardState, entries: entries(1, 2, 3) }))
    const { stored } = await machine.restart(round % 2 === 0)
    seen.add(`${stored.hardState.term} ${stored.entries.length}`)
  }
  expect([...seen].sort()).toEqual(['0 0', '3 0', '3 2'])
})

it('says that entries are damaged, until the replica has everything again', async () => {
  const machine = new Machine()
  const storage = await machine.clock.drive(machine.open())
  const hardState = { term: 1n, vote: undefined }
  await machine.clock.drive(storage.persist(write({ hardState, entries: entries(1, 9, 1) })))
  machine.end(false)
  machine.disk.damage(3)
  const again = await machine.clock.drive(machine.open())
  expect(again.stored).toMatchObject({ isRecovering: true, recoveries: 1 })
  expect(again.stored.entries).toEqual(entries(1, 5, 1))
  const third = await machine.restart()
  expect(third.stored).toMatchObject({ isRecovering: true, recoveries: 1 })
  await machine.clock.drive(third.noteRecovered())
  const fourth = await machine.restart()
  expect(fourth.stored).toMatchObject({ isRecovering: false, recoveries: 1 })
})

it('can forget a compaction when the power fails', async () => {
  const found = new Set<bigint | undefined>()
  for (let round = 0; round < 20; round++) {
    const machine = new Machine()
    const storage = await machine.clock.drive(machine.open())
    const hardState = { term: 1n, vote: undefined }
    await machine.clock.drive(storage.persist(write({ hardState, entries: entries(1, 9, 1) })))
    const snapshot = { index: 7n, term: 1n, voters: ['1/a'] }
    await machine.clock.drive(storage.saveSnapshot(snapshot, Buffer.from('state')))
    await machine.clock.drive(storage.compact(5n))
    machine.end(true)
    found.add(machine.disk.entries[0]?.index)
    const { stored } = await machine.clock.drive(machine.open())
    expect(stored.entries).toEqual(entries(8, 9, 1))
  }
  expect([...found].sort()).toEqual([1n, 6n])
})

it('fails, and what it has come to is seen at the next start', async () => {
  const machine = new Machine()
  const storage = await machine.clock.drive(machine.open())
  machine.isFailing = true
  const failing = storage.persist(write({ entries: [] }))
  await expect(machine.clock.drive(failing)).rejects.toBeInstanceOf(FileSystemError)
})
