// The real shell of Raft on simulated time, network and disks: what the walks do with the core alone, the loop around it does too.
import {
  type LogLimits,
  MemoryDisk,
  MemoryRaftStorage,
  RaftNode,
  type StateMachine,
} from '@naru/consensus'
import type { Message, ReplicaKey } from '@naru/raft'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SeededRandom } from '../seeded-random.ts'
import { SimulatedClock } from '../simulated-clock.ts'

const keys = ['1/a', '2/a', '3/a']

/** Remembers every payload that was applied. */
class Register implements StateMachine {
  values: string[] = []
  /** How many values each snapshot had. */
  readonly snapshots: number[] = []

  apply(payload: Buffer): void {
    this.values.push(payload.toString())
  }

  async snapshot(): Promise<Buffer> {
    this.snapshots.push(this.values.length)
    return Buffer.from(JSON.stringify(this.values))
  }

  restore(state: Buffer): void {
    this.values = JSON.parse(state.toString())
  }
}

class NodeCluster {
  readonly clock = new SimulatedClock()
  readonly random = new SeededRandom(7)
  readonly disks = new Map(keys.map((key) => [key, new MemoryDisk()]))
  readonly nodes = new Map<ReplicaKey, RaftNode>()
  readonly registers = new Map<ReplicaKey, Register>()
  readonly fatal: unknown[] = []

  constructor() {
    for (const disk of this.disks.values()) {
      disk.state = {
        ...disk.state,
        hardState: { term: 1n, vote: undefined },
        entries: [{ index: 1n, term: 1n, kind: 'voters', voters: keys }],
      }
    }
  }

  async start(key: ReplicaKey, limits: LogLimits = { snapshotEntries: 20 }): Promise<void> {
    const register = new Register()
    this.registers.set(key, register)
    const node = await RaftNode.start({
      self: key,
      storage: new MemoryRaftStorage(this.disks.get(key) as MemoryDisk),
      transport: { send: (message) => this.#deliver(message) },
      stateMachine: register,
      clock: this.clock,
      random: this.random.split(),
      contacts: keys,
      electionBaseMs: 600,
      heartbeatMs: 150,
      trailingEntries: 2,
      ...limits,
      onEvent: () => {},
      onFatal: (error) => this.fatal.push(error),
    })
    this.nodes.set(key, node)
  }

  async kill(key: ReplicaKey): Promise<void> {
    const node = this.nodes.get(key)
    this.nodes.delete(key)
    await node?.[Symbol.asyncDispose]()
    for (const other of this.nodes.values()) other.forget(key)
  }

  get leader(): RaftNode | undefined {
    return [...this.nodes.values()].find((node) => node.isLeader)
  }

  async until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    const end = this.clock.monotonic() + limitMs
    while (!condition()) {
      if (this.clock.monotonic() > end) throw new Error('It did not come to that')
      await this.clock.step()
    }
  }

  /** Proposes at whoever leads, again and again until it is acknowledged. */
  async put(value: string): Promise<void> {
    for (;;) {
      await this.until(() => this.leader !== undefined)
      try {
        await this.clock.drive((this.leader as RaftNode).propose(Buffer.from(value)).applied)
        return
      } catch {
        await this.clock.step()
      }
    }
  }

  #deliver(message: Message): void {
    this.clock.setTimer(0.5 + this.random.below(10) / 10, () => {
      this.nodes.get(message.to)?.receive(message)
    })
  }
}

let cluster: NodeCluster

beforeEach(async () => {
  cluster = new NodeCluster()
  for (const key of keys) await cluster.start(key)
})

afterEach(async () => {
  for (const key of [...cluster.nodes.keys()]) await cluster.kill(key)
  expect(cluster.fatal).toEqual([])
})

it('acknowledges what all apply in one order', async () => {
  for (let i = 0; i < 10; i++) await cluster.put(`v${i}`)
  const expected = Array.from({ length: 10 }, (_, i) => `v${i}`)
  await cluster.until(() => keys.every((key) => cluster.registers.get(key)?.values.length === 10))
  for (const key of keys) expect(cluster.registers.get(key)?.values).toEqual(expected)
})

it('loses nothing when its leader dies again and again', async () => {
  const acknowledged: string[] = []
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 4; i++) {
      await cluster.put(`r${round}.${i}`)
      acknowledged.push(`r${round}.${i}`)
    }
    const dead = [...cluster.nodes].find(([, node]) => node.isLeader)?.[0] as ReplicaKey
    await cluster.kill(dead)
    await cluster.put(`without ${dead} in ${round}`)
    acknowledged.push(`without ${dead} in ${round}`)
    await cluster.start(dead)
  }
  await cluster.until(() =>
    keys.every((key) => (cluster.registers.get(key)?.values.length ?? 0) >= acknowledged.length),
  )
  for (const key of keys) expect(cluster.registers.get(key)?.values).toEqual(acknowledged)
})

it('takes a snapshot when what follows the last one is twice its size', async () => {
  const limits = { snapshotBytes: 5_000 }
  for (const key of keys) await cluster.kill(key)
  for (const key of keys) await cluster.start(key, limits)
  for (let i = 0; i < 60; i++) await cluster.put('v'.repeat(1_000))
  const taken = () => cluster.registers.get('1/a')?.snapshots ?? []
  await cluster.until(() => taken().length === 3)
  expect(taken()).toEqual([5, 15, 45])
  // A start knows the size of what it restores.
  await cluster.kill('1/a')
  await cluster.start('1/a', limits)
  for (let i = 0; i < 60; i++) await cluster.put('v'.repeat(1_000))
  await cluster.until(() => cluster.registers.get('1/a')?.values.length === 120)
  expect(taken()).toEqual([])
})

it('brings back a node that was away for longer than the log reaches, by a snapshot', async () => {
  await cluster.put('first')
  await cluster.kill('3/a')
  for (let i = 0; i < 60; i++) await cluster.put(`v${i}`)
  await cluster.until(() => (cluster.leader?.raft.log.baseIndex ?? 0n) > 20n)
  await cluster.start('3/a')
  await cluster.until(() => cluster.registers.get('3/a')?.values.length === 61)
  expect(cluster.disks.get('3/a')?.state.snapshot?.index).toBeGreaterThan(20n)
  // And it starts from there.
  await cluster.kill('3/a')
  await cluster.start('3/a')
  await cluster.put('last')
  await cluster.until(() => cluster.registers.get('3/a')?.values.at(-1) === 'last')
  expect(cluster.registers.get('3/a')?.values).toHaveLength(62)
})

it('reads see what was acknowledged before, and fail where nobody leads', async () => {
  await cluster.put('seen')
  const leader = cluster.leader as RaftNode
  await cluster.clock.drive(leader.readBarrier())
  const follower = [...cluster.nodes.values()].find((node) => !node.isLeader) as RaftNode
  await expect(follower.readBarrier()).rejects.toMatchObject({ code: 'NOT_LEADER' })
})

it('hands its leadership over, and changes its voters', async () => {
  await cluster.put('one')
  const target = [...cluster.nodes].find(([, node]) => !node.isLeader)?.[0] as ReplicaKey
  expect(cluster.leader?.transferLeadership(target)).toBeUndefined()
  await cluster.until(() => cluster.nodes.get(target)?.isLeader === true)
  const other = keys.find((key) => key !== target) as ReplicaKey
  await cluster.put('two')
  await cluster.clock.drive((cluster.leader as RaftNode).changeVoters({ remove: other }).applied)
  expect(cluster.leader?.raft.voters).toEqual(keys.filter((key) => key !== other))
  await cluster.clock.drive((cluster.leader as RaftNode).changeVoters({ add: other }).applied)
  expect(cluster.leader?.raft.voters).toEqual(keys)
})
