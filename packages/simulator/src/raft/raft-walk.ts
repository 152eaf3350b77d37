/**
 * A walk: a cluster under random faults, then a time in which everything is whole and must come together. Safety is checked at every
 * step, progress at the end.
 */
import { majority } from '@naru/raft'
import { SeededRandom } from '../seeded-random.ts'
import { mustHold } from './raft-history.ts'
import { type Faults, RaftWorld } from './raft-world.ts'
import type { SimulatedReplica } from './simulated-replica.ts'

const faultyMs = 20_000
const healedMs = 15_000
const actionMs = 60

type Action = (walk: RaftWalk) => void

class RaftWalk {
  readonly world: RaftWorld
  readonly random: SeededRandom
  readonly actions: readonly Action[]
  /** Replicas whose disk is gone, with the one that takes their place. */
  readonly replaced = new Map<string, string>()
  #generation = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed ^ 0x5eed)
    const size = [1, 3, 3, 3, 5][this.random.below(5)] as number
    const faults: Faults = {
      loss: this.#rate([0, 0.02, 0.1, 0.3]),
      duplication: this.#rate([0, 0.02, 0.2]),
      delayMsMax: this.#rate([2, 10, 60]),
      slowDisk: this.#rate([0, 0.02, 0.2]),
    }
    this.world = new RaftWorld(seed, size, faults)
    // Leaving faults out finds other bugs than having all of them at once.
    const all = [
      crash,
      cutOne,
      cutSome,
      cutLeader,
      heal,
      damage,
      replaceDisk,
      changeVoters,
      transfer,
      forget,
      snapshot,
    ]
    this.actions = [restart, operate, ...all.filter(() => this.random.chance(0.6))]
  }

  /** A replica at random, running. */
  any(): SimulatedReplica | undefined {
    const { running } = this.world
    return running[this.random.below(Math.max(1, running.length))]
  }

  nextKey(key: string): string {
    return `${key.split('/')[0]}/${String.fromCharCode(98 + this.#generation++)}`
  }

  runUntil(endMs: number, act: () => void): void {
    const { queue } = this.world
    let nextMs = queue.nowMs
    while (queue.nowMs < endMs) {
      if (queue.nowMs >= nextMs) {
        nextMs = queue.nowMs + actionMs * (0.5 + this.random.below(100) / 100)
        act()
        this.world.checkQuorums()
      }
      if (!queue.step()) queue.after(1, () => {})
    }
  }

  #rate(choices: readonly number[]): number {
    return choices[this.random.below(choices.length)] as number
  }
}

/** Runs one walk; throws at the first violation. */
export async function walkRaft(seed: number): Promise<void> {
  const walk = new RaftWalk(seed)
  const { world, random } = walk
  walk.runUntil(faultyMs, () => {
    const target = random.chance(0.8) ? (world.leader ?? walk.any()) : walk.any()
    if (target !== undefined) world.propose(target)
    for (const reader of world.running) if (random.chance(0.3)) world.read(reader)
    if (random.chance(0.25)) (walk.actions[random.below(walk.actions.length)] as Action)(walk)
  })
  world.faults = { loss: 0, duplication: 0, delayMsMax: 2, slowDisk: 0 }
  world.cut.clear()
  walk.runUntil(faultyMs + healedMs, () => {
    for (const replica of world.replicas.values()) {
      if (isPresent(walk, replica)) startIfDown(replica)
    }
    operate(walk)
    if (world.leader !== undefined) world.propose(world.leader)
  })
  requireProgress(walk)
  world.audit()
}

function requireProgress(walk: RaftWalk): void {
  const { world } = walk
  const { leader, queue } = world
  mustHold(leader !== undefined, 'progress', () => `no leader ${queue.nowMs} ms into the run`)
  const least = (leader as SimulatedReplica).appliedIndex - 5n
  for (const replica of world.running) {
    mustHold(
      replica.appliedIndex >= least,
      'progress',
      () => `${replica.key} applied ${replica.appliedIndex}, the leader ${least + 5n}`,
    )
    mustHold(replica.raft?.isRecovering === false, 'progress', () => `${replica.key} is recovering`)
  }
}

/** What became of a replica whose disk is gone for ever. */
function isPresent(walk: RaftWalk, { key }: SimulatedReplica): boolean {
  return !walk.replaced.has(key)
}

function startIfDown(replica: SimulatedReplica): void {
  if (replica.raft === undefined) replica.start()
}

function votersOf(walk: RaftWalk): readonly string[] {
  return walk.world.leader?.raft?.voters ?? []
}

/** Whether every set of voters that some log may hold to is large enough and runs, and nobody has lost anything: one more loss can be mended. */
function isWhole(walk: RaftWalk): boolean {
  const { replicas, running, leader } = walk.world
  if (leader === undefined) return false
  const isRunning = (key: string) => replicas.get(key)?.raft !== undefined
  const sets = running.flatMap(({ raft }) =>
    raft === undefined ? [] : [raft.voters, raft.votersAt(raft.log.commitIndex)],
  )
  return (
    sets.every(
      (voters) => voters.length === 0 || (voters.length >= 3 && voters.every(isRunning)),
    ) && [...replicas.values()].every((each) => !isPresent(walk, each) || !each.disk.isRecovering)
  )
}

function crash(walk: RaftWalk): void {
  walk.any()?.crash()
}

function restart(walk: RaftWalk): void {
  for (const replica of walk.world.replicas.values()) {
    if (isPresent(walk, replica) && walk.random.chance(0.7)) startIfDown(replica)
  }
}

function cutOne(walk: RaftWalk): void {
  const a = walk.any()?.key
  const b = walk.any()?.key
  if (a !== undefined && b !== undefined && a !== b) walk.world.cut.add(`${a}>${b}`)
}

/** Parts the replicas in two. */
function cutSome(walk: RaftWalk): void {
  const keys = [...walk.world.replicas.keys()]
  const side = new Set(keys.filter(() => walk.random.chance(0.5)))
  for (const a of keys) {
    for (const b of keys) if (side.has(a) !== side.has(b)) walk.world.cut.add(`${a}>${b}`)
  }
}

/** The leader keeps less than a majority; the others see its connections end, and elect another at once. */
function cutLeader(walk: RaftWalk): void {
  const { leader, queue } = walk.world
  if (leader === undefined) return
  const companion = walk.any()?.key
  const others = walk.world.running.filter(({ key }) => key !== leader.key && key !== companion)
  for (const { key, raft } of others) {
    for (const other of [leader.key, companion]) {
      walk.world.cut.add(`${key}>${other}`)
      walk.world.cut.add(`${other}>${key}`)
    }
    raft?.forgetLeader(leader.key, queue.nowMs)
  }
  // Long enough for what it appends meanwhile to be replaced.
  if (walk.random.chance(0.5)) queue.after(500 + walk.random.below(1_500), () => sendEarlier(walk))
}

function heal(walk: RaftWalk): void {
  walk.world.cut.clear()
}

/**
 * Whoever was away hears first of the last entry that it has in common with the leader, and how far that one has committed: legal,
 * whatever makes a leader begin so early. Of what its log holds behind that entry nothing is known to be the leader's (Raft §5.3).
 */
function sendEarlier(walk: RaftWalk): void {
  const { running, leader } = walk.world
  if (leader?.raft === undefined) return
  heal(walk)
  const { log, term } = leader.raft
  const { commitIndex } = log
  for (const { key, raft } of running) {
    // What the disk has may be of a time before it led.
    const entry = leader.disk.entries.findLast(
      ({ index, term: of }) => log.termAt(index) === of && raft?.log.termAt(index) === of,
    )
    const prevIndex = (entry?.index ?? 0n) - 1n
    const prevTerm = log.termAt(prevIndex)
    if (key === leader.key || entry === undefined || prevTerm === undefined) continue
    const append = { type: 'append', entries: [entry], prevIndex, prevTerm, commitIndex } as const
    walk.world.send({ ...append, from: leader.key, to: key, term })
  }
}

/** A replica restarts, and part of what it had acknowledged is damaged; perhaps the leader, who has it all, dies soon. */
function damage(walk: RaftWalk): void {
  const replica = walk.any()
  if (replica === undefined || !isWhole(walk)) return
  replica.crash()
  replica.disk.damage(1 + walk.random.below(8))
  replica.start()
  const { leader } = walk.world
  if (leader === undefined || walk.random.chance(0.5)) return
  walk.world.queue.after(walk.random.below(400), () => leader.crash())
}

/** A node comes back with an empty disk: another replica, without a vote. */
function replaceDisk(walk: RaftWalk): void {
  const replica = walk.any()
  if (replica === undefined || !isWhole(walk) || walk.replaced.size > 3) return
  if (!votersOf(walk).includes(replica.key)) return
  replica.crash()
  const key = walk.nextKey(replica.key)
  walk.replaced.set(replica.key, key)
  walk.world.replace(replica.key, key)
}

/** What an operator does about replaced disks: the old voter goes, the new one comes. */
function operate(walk: RaftWalk): void {
  const raft = walk.world.leader?.raft
  if (raft === undefined) return
  for (const [gone, present] of walk.replaced) {
    if (raft.voters.includes(gone)) raft.changeVoters({ remove: gone })
    else if (!raft.voters.includes(present) && !walk.replaced.has(present)) {
      raft.changeVoters({ add: present })
    }
  }
  walk.world.leader?.pump()
}

/** Voters are changed for no reason, one after the other, without waiting. */
function changeVoters(walk: RaftWalk): void {
  for (let times = 1 + walk.random.below(3); times > 0; times--) changeVoter(walk)
  walk.world.leader?.pump()
}

/** A voter is removed, or one that is none is added again. */
function changeVoter(walk: RaftWalk): void {
  const raft = walk.world.leader?.raft
  const key = walk.any()?.key
  if (raft === undefined || key === undefined) return
  if (!raft.voters.includes(key)) raft.changeVoters({ add: key })
  else if (raft.voters.length > 3 || (isWhole(walk) && majority(raft.voters.length) > 1)) {
    raft.changeVoters({ remove: key })
  }
}

function transfer(walk: RaftWalk): void {
  const key = walk.any()?.key
  if (key !== undefined) walk.world.leader?.raft?.transferLeadership(key)
}

/** The transport believes the leader dead, rightly or not. */
function forget(walk: RaftWalk): void {
  for (const { raft } of walk.world.running) {
    if (raft?.leader !== undefined && walk.random.chance(0.5)) {
      raft.forgetLeader(raft.leader, walk.world.queue.nowMs)
    }
  }
}

function snapshot(walk: RaftWalk): void {
  walk.any()?.takeSnapshot()
}
