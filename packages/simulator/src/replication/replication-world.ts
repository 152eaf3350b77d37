/** A cluster of brokers that hold replicas of partitions, their disks, and what is true of all of them. */
import type { Log } from '@naru/log'
import type { ClusterNode, NodeLife } from '../cluster/cluster-node.ts'
import { ClusterWorld } from '../cluster/cluster-world.ts'
import { mustHold, Violation } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { DataDisk, dataPath } from './data-disk.ts'
import { LogShadow, shadowOf } from './log-shadow.ts'
import { RecordHistory } from './record-history.ts'
import { ReplicaPromises } from './replica-promises.ts'
import {
  drawClusterOptionsOf,
  drawReplicationOptions,
  type ReplicationOptions,
} from './replication-options.ts'
import { type BrokerWorld, type FoundLog, SimulatedBroker } from './simulated-broker.ts'

/** What no broker may ever have to say while disks keep what they have and nobody elects uncleanly. */
const alarms = new Set([
  'replica-diverged',
  'replication-violation',
  'replication-damaged',
  'replication-wrong-broker',
])

interface Machine {
  readonly disks: readonly DataDisk[]
  bootId: string
}

export class ReplicationWorld extends ClusterWorld implements BrokerWorld {
  readonly dataOptions: ReplicationOptions
  readonly promises: ReplicaPromises
  readonly history: RecordHistory
  readonly #machines = new Map<ClusterNode, Machine>()
  readonly #dataRandom: SeededRandom
  isDiskSlow = true
  /** Log directories whose broker came back without a proof that nothing is lost. */
  doubted = 0
  powerLosses = 0
  diskFailures = 0
  /** Topics for which one replica may be enough at any moment: somebody asked for that, and has not heard that it is done or refused. */
  readonly lowering: string[] = []

  constructor(seed: number) {
    super(seed, drawClusterOptionsOf)
    this.#dataRandom = this.random.split()
    this.dataOptions = drawReplicationOptions(this.random.split())
    this.promises = new ReplicaPromises(this)
    this.history = new RecordHistory((id, partition) => this.promises.committedOf(id, partition))
    for (const node of this.nodes) this.#machines.set(node, this.#makeMachine(node))
  }

  /** Of the processes that serve clients now. */
  get brokers(): SimulatedBroker[] {
    const found: SimulatedBroker[] = []
    for (const { life } of this.nodes) {
      if (life?.work instanceof SimulatedBroker) found.push(life.work)
    }
    return found
  }

  brokerOf(nodeId: number): SimulatedBroker | undefined {
    const work = this.nodes.find(({ id }) => id === nodeId)?.life?.work
    return work instanceof SimulatedBroker ? work : undefined
  }

  disksOf(node: ClusterNode): readonly DataDisk[] {
    return this.#machineOf(node).disks
  }

  override workOf(life: NodeLife): SimulatedBroker {
    const { disks, bootId } = this.#machineOf(life.node)
    return new SimulatedBroker(life, { world: this, disks, bootId })
  }

  override kill(node: ClusterNode, { isPowerLost }: { isPowerLost: boolean }): void {
    const hasLived = node.life !== undefined
    super.kill(node, { isPowerLost })
    const machine = this.#machineOf(node)
    this.promises.closed(node.id, { isPowerLost })
    if (isPowerLost) {
      machine.bootId = this.#newId()
      this.powerLosses++
      this.promises.unflushed(node.id)
    }
    for (const { disk } of machine.disks) {
      if (isPowerLost) disk.losePower()
      else if (hasLived) disk.crash()
    }
  }

  /** Everything in one of its log directories is gone. */
  wipe(node: ClusterNode, data: DataDisk): void {
    this.kill(node, { isPowerLost: false })
    data.wipe()
    this.doubted++
    this.promises.lost(node.id, data)
  }

  /** The directory of one partition is gone. */
  loseLog(node: ClusterNode, data: DataDisk, name: string): void {
    this.kill(node, { isPowerLost: false })
    data.disk.lose(`${dataPath}/${name}`)
    this.doubted++
    this.promises.lostLog(node.id, { data, name })
  }

  override check(): void {
    super.check()
    this.promises.check()
  }

  override onEvent(life: NodeLife, event: string, fields: Readonly<Record<string, unknown>>): void {
    super.onEvent(life, event, fields)
    const isKnown = alarms.has(event)
    if (isKnown) life.bug ??= new Violation(`${event}: ${String(Object.values(fields))}`)
  }

  onProcess({ life }: SimulatedBroker, incarnationId: string): void {
    this.promises.began(life.node.id, incarnationId)
  }

  onReturn({ life }: SimulatedBroker, brokerEpoch: bigint): void {
    const known = this.truth.image.brokers.get(life.node.id)?.brokerEpoch ?? brokerEpoch
    if (known !== brokerEpoch) this.doubted++
  }

  onLog(broker: SimulatedBroker, log: Log, { directory, data, isMade }: FoundLog): void {
    const { id: nodeId } = broker.life.node
    const topicId = directory.topicIdOf(log)
    // Nothing is known of it, and nobody may use it.
    const place = { nodeId, topicId, name: log.name, data }
    if (!isMade && this.promises.isLeftOver(place)) return
    const partition = Number(log.name.slice(log.name.lastIndexOf('-') + 1))
    const committed = this.promises.committedOf(topicId, partition)
    const chainAt = (offset: bigint) => committed.chainAt(offset)
    const shadow = isMade
      ? new LogShadow(log.path, log.logStartOffset, chainAt(log.logStartOffset))
      : shadowOf(log, chainAt, (path) => data.disk.file(path)?.cached)
    const record = this.promises.recordOf(place, shadow)
    record.opened(log, shadow, { isMade })
    this.promises.opened(log, record)
    const append = log.append.bind(log)
    log.append = (batch, header) => {
      append(batch, header)
      record.shadow.append(header, batch)
    }
  }

  onTruncating(broker: SimulatedBroker, log: Log, endOffset: bigint): void {
    try {
      this.promises.truncating(broker, log, endOffset)
    } catch (error) {
      // Whoever cuts would take it for its own failure.
      broker.life.bug ??= error
    }
  }

  onRestarting(broker: SimulatedBroker, log: Log, startOffset: bigint): void {
    try {
      this.promises.restarting(broker, log, startOffset)
    } catch (error) {
      broker.life.bug ??= error
    }
  }

  onRestarted(log: Log): void {
    this.promises.restarted(log)
  }

  onStartMoved(log: Log): void {
    if (log.logStartOffset === log.logEndOffset) this.promises.restarted(log)
  }

  onDeleting(log: Log): void {
    this.promises.deleting(log)
  }

  onTruncated(log: Log, endOffset: bigint): void {
    this.promises.truncated(log, endOffset)
  }

  #machineOf(node: ClusterNode): Machine {
    const machine = this.#machines.get(node)
    mustHold(machine !== undefined, 'every node has a machine', () => String(node.id))
    return machine as Machine
  }

  #makeMachine(node: ClusterNode): Machine {
    const clock = {
      setTimer: (delayMs: number, callback: () => void) =>
        node.life?.process.setTimer(delayMs, callback) ?? { cancel() {} },
      clear() {},
    }
    const { directories, slowDiskChance, slowDiskMs } = this.dataOptions
    const slowness = this.#dataRandom.split()
    const delay = () =>
      this.isDiskSlow && slowness.chance(slowDiskChance) ? slowness.below(slowDiskMs) : 0
    const disks = Array.from(
      { length: directories },
      () => new DataDisk(clock, this.#dataRandom.split(), delay),
    )
    return { disks, bootId: this.#newId() }
  }

  #newId(): string {
    return this.#dataRandom.bytes(8).toString('hex')
  }
}
