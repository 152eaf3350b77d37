/** A cluster of brokers on simulated machines: what happens to them, and whether every one keeps to the truth. */
import { ConsensusError, type MetadataRuntime } from '@naru/consensus'
import type { Role } from '@naru/raft'
import { mustHold, Violation } from '../raft/raft-history.ts'
import { SeededRandom } from '../seeded-random.ts'
import { SimulatedClock } from '../simulated-clock.ts'
import { SimulatedNetwork } from '../simulated-network.ts'
import {
  ClusterNode,
  internalPort,
  type NodeLife,
  type NodeWork,
  type NodeWorld,
} from './cluster-node.ts'
import { type ClusterOptions, type DiskFaults, drawClusterOptions } from './cluster-options.ts'
import { CommittedMetadata } from './committed-metadata.ts'
import { type ArchivedEntry, LogArchive } from './log-archive.ts'
import { MetadataWork } from './metadata-work.ts'
import type { RaftDisk } from './raft-disk.ts'

/** Events of one moment: more is a loop that never ends. */
const atOnceMax = 5_000

export class ClusterWorld implements NodeWorld {
  readonly options: ClusterOptions
  readonly clock = new SimulatedClock()
  readonly network: SimulatedNetwork
  readonly archive = new LogArchive()
  readonly truth: CommittedMetadata
  readonly nodes: readonly ClusterNode[]
  readonly random: SeededRandom
  /** Every disk that there ever was, by replica. */
  readonly disks = new Map<string, RaftDisk>()
  /** Replicas whose disk is gone, with the node that has another one now. */
  readonly replaced = new Map<string, ClusterNode>()
  disk: DiskFaults
  events = 0
  /** Events of the same moment. */
  #atOnce = 0
  readonly #diskRandom: SeededRandom
  /** By term. */
  readonly #leaders = new Map<bigint, string>()
  /** The last entry that was committed before there was a leader of a later term than this. */
  readonly #lastOf = new Map<bigint, ArchivedEntry>()

  constructor(seed: number, draw = drawClusterOptions) {
    this.random = new SeededRandom(seed)
    this.options = draw(this.random.split())
    this.disk = this.options.disk
    this.network = new SimulatedNetwork(this.clock, this.random.split())
    this.network.faults = this.options.network
    this.#diskRandom = this.random.split()
    this.truth = new CommittedMetadata(this.options.imageStride, (item) => this.#onCommitted(item))
    const { voters, observers } = this.options
    const ids = Array.from({ length: voters + observers }, (_, at) => at + 1)
    this.nodes = ids.map((id) => new ClusterNode(id, this.random.split()))
    for (const { disk } of this.nodes) this.disks.set(disk.key, disk)
  }

  get addresses() {
    return this.nodes.map(({ host }) => ({ host, port: internalPort }))
  }

  get lives(): NodeLife[] {
    return this.nodes.flatMap(({ life }) => life ?? [])
  }

  /** Those that can be asked something now. */
  get ready(): NodeLife[] {
    return this.lives.filter(
      ({ runtime, process, isStopping }) =>
        runtime !== undefined && process.state === 'running' && !isStopping,
    )
  }

  get leader(): NodeLife | undefined {
    return this.lives.filter(({ isLeader }) => isLeader).at(-1)
  }

  /**
   * Whether every set of voters that some log may hold to is large enough and runs, and nobody has lost anything: one more loss can be
   * mended.
   */
  get isWhole(): boolean {
    const { lives, nodes, truth } = this
    if (this.leader === undefined || truth.last === undefined) return false
    const running = new Set(lives.map(({ node }) => node.disk.key))
    const sets = lives.map(({ view }) => view?.last?.voters ?? [])
    return (
      [...sets, truth.last.voters].every(
        (voters) => voters.length >= 3 && voters.every((voter) => running.has(voter)),
      ) && nodes.every(({ disk }) => !disk.isRecovering)
    )
  }

  /** Asks for it through any node; what comes of it shows in the log. */
  changeQuorum(kind: 'add' | 'remove' | 'transfer', replica: string, random: SeededRandom): void {
    const { ready } = this
    if (ready.length === 0) return
    const life = random.pick(ready)
    const [nodeId, directoryId = ''] = replica.split('/')
    const target = { nodeId: Number(nodeId), directoryId: kind === 'transfer' ? '' : directoryId }
    life.runtime?.changeQuorum({ kind, ...target }).catch((error: unknown) => {
      if (!(error instanceof ConsensusError)) life.bug ??= error
    })
  }

  /** The same, for a command of the controller. */
  submit(command: Parameters<MetadataRuntime['submit']>[0], random: SeededRandom): void {
    const { ready } = this
    if (ready.length === 0) return
    const life = random.pick(ready)
    life.runtime?.submit(command).catch((error: unknown) => {
      life.bug ??= error
    })
  }

  workOf(life: NodeLife): NodeWork {
    return new MetadataWork(life, () => this.diskMs())
  }

  start(node: ClusterNode): void {
    if (node.life !== undefined) return
    const { skewMs } = this.options
    const skew = skewMs === 0 ? 0 : this.random.below(2 * skewMs) - skewMs
    const { process, network } = this.network.start(node.host, skew)
    node.start(process, network, this)
  }

  /** The process of a node ends in the middle of things. */
  kill(node: ClusterNode, { isPowerLost }: { isPowerLost: boolean }): void {
    if (isPowerLost) this.network.powerLoss(node.host)
    else this.network.kill(node.host)
    if (node.life === undefined) return
    node.life = undefined
    node.disk.interrupt(this.#diskRandom, { isPowerLost })
    if (isPowerLost && node.cleanliness !== 'unknown') node.cleanliness = 'os-crash'
  }

  /** Its disk is replaced by an empty one. */
  replaceDisk(node: ClusterNode): void {
    this.kill(node, { isPowerLost: false })
    this.replaced.set(node.disk.key, node)
    node.replaceDisk()
    this.disks.set(node.disk.key, node.disk)
  }

  diskMs(): number {
    const { delayMs, slowChance, slowMs } = this.disk
    const slow = this.#diskRandom.chance(slowChance) ? this.#diskRandom.below(slowMs) : 0
    return 0.05 + (delayMs * this.#diskRandom.below(1_000)) / 500 + slow
  }

  diskFails(): boolean {
    return this.#diskRandom.chance(this.disk.failChance)
  }

  /** After each event, and what followed from it at once. */
  check(): void {
    this.network.check()
    for (const { life } of this.nodes) if (life !== undefined) this.#check(life)
  }

  /** Lets things happen until a moment, or until a condition holds. */
  async runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    // What was asked just now begins before any time passes.
    await this.clock.settle()
    let hasCome = false
    const timer = this.clock.setTimer(endMs - this.clock.monotonic(), () => {
      hasCome = true
    })
    while (!hasCome && !isOver()) {
      this.#run()
      await this.clock.settle()
      this.check()
    }
    timer.cancel()
  }

  onSnapshot({ node }: NodeLife, index: bigint, state: Buffer): void {
    this.truth.checkSnapshot(node.disk.key, index, state)
  }

  onEvent(life: NodeLife, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (event === 'metadata-voters') {
      life.voters = (fields as { voters: readonly string[] }).voters
      return
    }
    if (event !== 'metadata-role') return
    const { role, term } = fields as { role: Role; term: bigint }
    life.isLeader = role === 'leader'
    if (life.isLeader) this.#checkLeader(life, term)
  }

  /** One event. */
  #run(): void {
    const beforeMs = this.clock.monotonic()
    this.clock.run()
    this.events++
    const isSameMoment = this.clock.monotonic() === beforeMs
    this.#atOnce = isSameMoment ? this.#atOnce + 1 : 0
    mustHold(this.#atOnce < atOnceMax, 'no busy loop', () => `${atOnceMax} events at once`)
  }

  /** At most one leader in a term (Raft §5.2); it holds every entry that was committed in an earlier one (§5.4). */
  #checkLeader({ node, view }: NodeLife, term: bigint): void {
    const { key } = node.disk
    const other = this.#leaders.get(term) ?? key
    mustHold(other === key, 'election safety', () => `${other} and ${key} in term ${term}`)
    this.#leaders.set(term, key)
    // It may learn late that it has won, and others have led and committed since.
    for (const [committedIn, item] of this.#lastOf) {
      if (committedIn >= term) continue
      const { entry } = item
      mustHold(
        view?.holds(item) === true,
        'leader completeness',
        () => `${key} of term ${term} lacks ${entry.index}/${entry.term}`,
      )
    }
  }

  #check(life: NodeLife): void {
    const { node, runtime, bug, end } = life
    if (bug !== undefined) {
      throw new Violation(`node ${node.id} failed: ${bug instanceof Error ? bug.stack : bug}`)
    }
    if (runtime !== undefined && runtime.lastIndex !== life.checkedIndex) this.#checkCopy(life)
    if (end === undefined) return
    this.kill(node, { isPowerLost: false })
    if (end === 'stopped') node.cleanliness = 'clean'
  }

  #checkCopy(life: NodeLife): void {
    const { node, view, checkedIndex, restoredIndex } = life
    const { lastIndex = 0n, image } = life.runtime ?? {}
    const { key } = node.disk
    mustHold(lastIndex > checkedIndex, 'copies never go back', () => `${key} at ${lastIndex}`)
    life.checkedIndex = lastIndex
    const from = checkedIndex > restoredIndex ? checkedIndex : restoredIndex
    for (let index = from + 1n; index <= lastIndex; index++) {
      const item = view?.at(index)
      if (item !== undefined) this.truth.applied(key, item)
    }
    if (image !== undefined) this.truth.checkImage(key, lastIndex, image)
  }

  /** The first quorum is that of the nodes that the configuration names. */
  #checkFounding(voters: readonly string[]): void {
    const ids = voters.map((voter) => Number(voter.split('/')[0])).sort((a, b) => a - b)
    const named = Array.from({ length: this.options.voters }, (_, at) => at + 1)
    mustHold(ids.join() === named.join(), 'the first quorum is the named one', () => ids.join())
  }

  /** Only what a majority of the voters has on the disk is committed (R4, R5). */
  #onCommitted(item: ArchivedEntry): void {
    const { entry, previous, voters: now } = item
    const { index, term } = entry
    // The newest leader's, or that of one before.
    if (index === 1n) this.#checkFounding(now)
    const newest = [...this.#leaders.keys()].reduce((a, b) => (a > b ? a : b), term)
    this.#lastOf.set(newest, item)
    const isHeldBy = (voters: readonly string[]) => {
      const holders = voters.filter((voter) => this.disks.get(voter)?.holds(index, term) === true)
      return 2 * holders.length > voters.length
    }
    const sets = [previous?.voters ?? [], now]
    // A leader counts by the voters of its log as soon as they are appended, on its disk or not: should they get lost, every majority
    // of those before has one of this one in it (Raft thesis §4.1).
    const current = this.lives.flatMap(({ view, voters }) => [view?.last?.voters ?? [], voters])
    mustHold(
      [...sets, ...current].some(isHeldBy),
      'commit needs a majority of disks',
      () => `${index}/${term} of ${sets.join(' or ')}`,
    )
  }
}
