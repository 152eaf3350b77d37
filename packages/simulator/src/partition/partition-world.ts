/** A controller, machines and what is under way between them: one partition's life, with what must hold of it at every step. */
import { type AlteredPartition, isRefusal, supportedFeatures } from '@naru/metadata'
import type { NodeId } from '@naru/model'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { idOf, ModelController } from './model-controller.ts'
import { ModelMachine, type Process, type Stream } from './model-machine.ts'
import { PartitionHistory } from './partition-history.ts'
import type { ReplicationMessage } from './partition-messages.ts'
import { type Asked, PartitionReplica, type ReplicaSurroundings } from './partition-replica.ts'

export type Message =
  | {
      readonly to: 'leader' | 'follower'
      readonly stream: Stream
      readonly content: ReplicationMessage
    }
  | { readonly to: 'controller'; readonly from: PartitionReplica; readonly asked: Asked }
  | {
      readonly to: 'asker'
      readonly from: PartitionReplica
      readonly asked: Asked
      readonly answer: AlteredPartition | undefined
    }
  | { readonly to: 'registry'; readonly machine: ModelMachine; readonly process: Process }
  | {
      readonly to: 'registered'
      readonly machine: ModelMachine
      readonly process: Process
      readonly brokerEpoch: bigint
      readonly position: number
    }

export interface WorldOptions {
  readonly brokers: number
  readonly lagMsMax: number
  readonly flushRate: number
  readonly configs: Record<string, string>
}

const inFlightMax = 40

export class PartitionWorld implements ReplicaSurroundings {
  readonly controller = new ModelController()
  readonly history = new PartitionHistory()
  readonly machines = new Map<NodeId, ModelMachine>()
  readonly lagMsMax: number
  readonly #flushRate: number
  readonly random: SeededRandom
  messages: Message[] = []
  nowMs = 0
  /** Somebody has led without having everything: what followers would have to cut then, an operator decides. */
  hadUncleanElection = false
  #incarnations = 100
  #subscriptions = 0
  /** When a registration became visible. */
  readonly #positions = new Map<bigint, number>()

  constructor(random: SeededRandom, { brokers, lagMsMax, flushRate, configs }: WorldOptions) {
    this.random = random
    this.lagMsMax = lagMsMax
    this.#flushRate = flushRate
    const ids = Array.from({ length: brokers }, (_, at) => at + 1)
    for (const nodeId of ids) this.machines.set(nodeId, new ModelMachine(nodeId))
    const processes = ids.map((nodeId) => {
      const machine = this.#machine(nodeId)
      this.start(machine)
      const brokerEpoch = this.#register(machine, machine.process as Process)
      this.controller.unfence(nodeId)
      return { machine, brokerEpoch }
    })
    this.controller.create(ids.slice(0, 3), configs)
    for (const { machine, brokerEpoch } of processes) {
      this.#begin(machine, machine.process as Process, { brokerEpoch, position: 0 })
    }
  }

  get running(): PartitionReplica[] {
    const running: PartitionReplica[] = []
    for (const { process } of this.machines.values()) {
      if (process?.replica !== undefined) running.push(process.replica)
    }
    return running
  }

  get leaders(): PartitionReplica[] {
    return this.running.filter(({ leader }) => leader !== undefined)
  }

  /** What is sent beyond this is lost. */
  send(message: Message): void {
    if (this.messages.length < inFlightMax) this.messages.push(message)
  }

  nextSubscription(): number {
    return ++this.#subscriptions
  }

  // Processes and streams.

  start(machine: ModelMachine): void {
    if (machine.process === undefined) machine.start(++this.#incarnations)
  }

  /** What the process had in memory, and what was under way to and from it, is gone. */
  end(machine: ModelMachine, how: (machine: ModelMachine) => void): void {
    const { process } = machine
    if (process === undefined) return
    if (process.replica !== undefined && this.random.chance(0.5)) {
      machine.highWatermark = process.replica.highWatermark
    }
    for (const stream of process.streams.values()) this.breakStream(stream)
    for (const other of this.machines.values()) {
      const stream = other.process?.streams.get(process)
      if (stream !== undefined) this.breakStream(stream)
    }
    how(machine)
  }

  /** The stream to the leader that a process follows, if that runs. */
  streamOf(process: Process): Stream | undefined {
    const leader = this.machines.get(process.replica?.follower?.leader ?? -1)?.process
    if (leader === undefined) return undefined
    const known = process.streams.get(leader)
    if (known !== undefined) return known
    const stream: Stream = { follower: process, leader, subscriptions: [], isOpen: true }
    process.streams.set(leader, stream)
    return stream
  }

  breakStream(stream: Stream): void {
    if (!stream.isOpen) return
    stream.isOpen = false
    this.messages = this.messages.filter(
      (message) => !('stream' in message) || message.stream !== stream,
    )
    const { follower, leader } = stream
    follower.streams.delete(leader)
    if (this.machines.get(follower.replica?.follower?.leader ?? -1)?.process === leader) {
      follower.replica?.unsubscribed()
    }
    leader.replica?.streamEnded(stream.subscriptions)
  }

  #machine(nodeId: NodeId): ModelMachine {
    return this.machines.get(nodeId) as ModelMachine
  }

  // Messages.

  deliver(message: Message): void {
    switch (message.to) {
      case 'leader':
        this.#atLeader(message.stream, message.content)
        break
      case 'follower':
        if (message.stream.isOpen) this.#atFollower(message.stream, message.content)
        break
      case 'controller':
        this.#alter(message.from, message.asked)
        break
      case 'asker':
        if (this.#isRunning(message.from)) message.from.answered(message.asked, message.answer)
        break
      case 'registry':
        this.#registration(message.machine, message.process)
        break
      case 'registered':
        this.#begin(message.machine, message.process, message)
        break
    }
  }

  #isRunning(replica: PartitionReplica): boolean {
    return this.machines.get(replica.nodeId)?.process?.replica === replica
  }

  #atLeader(stream: Stream, content: ReplicationMessage): void {
    const { replica } = stream.leader
    if (!stream.isOpen || replica === undefined) return
    if (content.kind === 'ack') replica.acknowledged(content)
    if (content.kind !== 'subscribe') return
    const answer = replica.subscribed(content)
    if (answer === undefined) return
    if (answer.kind === 'accepted') stream.subscriptions.push(answer.id)
    this.send({ to: 'follower', stream, content: answer })
  }

  #atFollower(stream: Stream, content: ReplicationMessage): void {
    const { replica } = stream.follower
    if (replica === undefined) return
    replica.received(content, this.random.chance(this.#flushRate))
    if (content.kind === 'data' && replica.follower?.isAccepted && this.random.chance(0.7)) {
      this.send({ to: 'leader', stream, content: replica.acknowledgement() })
    }
  }

  #alter(from: PartitionReplica, asked: Asked): void {
    const { nodeId, brokerEpoch } = from
    const { request } = asked
    const answer = this.controller.run({
      type: 'alterPartition',
      nodeId,
      brokerEpoch,
      partitions: [request],
    })
    const altered = isRefusal(answer) ? undefined : answer.partitions[0]
    this.send({ to: 'asker', from, asked, answer: altered })
  }

  #registration(machine: ModelMachine, process: Process): void {
    if (machine.process !== process) return
    const brokerEpoch = this.#register(machine, process)
    if (brokerEpoch < 0n) return
    const position = this.#positions.get(brokerEpoch) ?? 0
    this.send({ to: 'registered', machine, process, brokerEpoch, position })
  }

  /** -1: refused. */
  #register(machine: ModelMachine, process: Process): bigint {
    const { nodeId } = machine
    const answer = this.controller.run({
      type: 'registerBroker',
      nodeId,
      incarnationId: idOf(5_000 + process.incarnation),
      metadataDirectory: idOf(2_000 + nodeId),
      clusterId: 'walk',
      rack: null,
      endpoints: [],
      directories: [machine.directory],
      features: supportedFeatures,
      isPreviousSilent: true,
    })
    if (isRefusal(answer)) return -1n
    const { brokerEpoch } = answer
    if (!this.#positions.has(brokerEpoch)) {
      this.#positions.set(brokerEpoch, this.controller.newestView)
      machine.hasLost = false
    }
    return brokerEpoch
  }

  #begin(
    machine: ModelMachine,
    process: Process,
    { brokerEpoch, position }: { brokerEpoch: bigint; position: number },
  ): void {
    if (machine.process !== process || process.replica !== undefined) return
    machine.registered(brokerEpoch)
    const { nodeId, log, highWatermark } = machine
    const view = this.controller.views[position]
    if (view === undefined) return
    process.position = position
    const least = log.startOffset > highWatermark ? log.startOffset : highWatermark
    const options = { nodeId, brokerEpoch, log, highWatermark: least, view, surroundings: this }
    process.replica = new PartitionReplica(options)
  }

  // What must hold.

  committed(replica: PartitionReplica): void {
    const { leaderEpoch, log, highWatermark } = replica
    this.history.committed(leaderEpoch, log, highWatermark)
  }

  seen({ leaderEpoch, log, highWatermark }: PartitionReplica): void {
    this.history.seen(leaderEpoch, log, highWatermark)
  }

  /** Invariant 28. After an unclean election what was stored as committed has to be taken back with it. */
  cut({ nodeId, brokerEpoch, log }: PartitionReplica): void {
    const machine = this.#machine(nodeId)
    if (machine.highWatermark > log.endOffset) machine.highWatermark = log.endOffset
    const { isr, elr } = this.controller.partition
    if (this.controller.brokers.get(nodeId)?.brokerEpoch !== brokerEpoch) return
    if (!isr.includes(nodeId) && !elr.includes(nodeId)) return
    mustHold(
      this.history.holdsAll(log),
      'who counts as complete cuts nothing that is committed',
      () => `${nodeId} cut to ${log.endOffset}`,
    )
  }

  broken(replica: PartitionReplica): void {
    mustHold(
      this.hadUncleanElection,
      'nobody has to cut what is committed',
      () => `${replica.nodeId} has ${replica.log.endOffset}, committed ${replica.highWatermark}`,
    )
    const machine = this.#machine(replica.nodeId)
    this.end(machine, () => machine.loseDisk())
  }

  check(): void {
    const { isr, elr, isFlushed } = this.controller.partition
    for (const nodeId of isr) this.#checkComplete(nodeId, isFlushed)
    for (const nodeId of elr) this.#checkComplete(nodeId, isFlushed)
    for (const { process } of this.machines.values()) {
      if (process?.replica?.leader !== undefined) this.#checkLeader(process.replica)
    }
  }

  /** Invariant 17: who may become the leader has everything that was acknowledged, on its disk where that was promised. */
  #checkComplete(nodeId: NodeId, isFlushed: boolean): void {
    const { hasLost, log } = this.#machine(nodeId)
    if (hasLost) return
    const { history } = this
    mustHold(
      history.holdsAll(log),
      'who may lead has everything',
      () => `${nodeId} ends at ${log.endOffset} of ${history.endOffset}`,
    )
    mustHold(
      !isFlushed || this.hadUncleanElection || log.flushedOffset >= history.endOffset,
      'who may lead has everything on its disk',
      () => `${nodeId} has ${log.flushedOffset} of ${history.endOffset}`,
    )
  }

  /** Invariant 18: whoever is in sync or eligible has a part in what the current leader commits. */
  #checkLeader({ nodeId, leader }: PartitionReplica): void {
    const { partition } = this.controller
    if (leader === undefined || leader.leaderEpoch !== partition.leaderEpoch) return
    if (!leader.hasEnoughInSync) return
    const { maximal } = leader.inSync
    mustHold(
      partition.isr.every((id) => maximal.includes(id)) &&
        partition.elr.every((id) => maximal.includes(id)),
      'a leader counts on everybody who is in sync',
      () => `${nodeId} counts on ${maximal}, in sync ${partition.isr}, eligible ${partition.elr}`,
    )
  }
}
