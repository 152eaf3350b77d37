/** What happens in a walk, at random: work, messages late and lost, machines that stop, an operator who changes his mind. */
import type { NodeId } from '@naru/model'
import type { ModelMachine, Process, Stream } from './model-machine.ts'
import type { PartitionReplica, Subscriber } from './partition-replica.ts'
import type { Message, PartitionWorld } from './partition-world.ts'
import type { WalkOptions } from './walk-options.ts'

type Act = () => void

export class PartitionFaults {
  readonly #world: PartitionWorld
  readonly #options: WalkOptions
  readonly #acts: readonly (readonly [number, Act])[]
  readonly #total: number

  constructor(world: PartitionWorld, options: WalkOptions) {
    this.#world = world
    this.#options = options
    const { random } = world
    // Now and then something hardly happens at all.
    const rarely = (weight: number) => (random.chance(0.25) ? weight * 0.15 : weight)
    const some = (limit: number) => (limit * random.below(100)) / 100
    const only = (isWanted: boolean, weight: number) => (isWanted ? weight : 0)
    this.#acts = [
      [1 + some(2), () => this.#produce()],
      [rarely(1.5), () => this.#flush()],
      [2, () => this.#subscribe()],
      [2.5, () => this.#push()],
      [2.5, () => this.#acknowledge()],
      [7, () => this.#deliver()],
      [rarely(2.2), () => this.#seeMetadata()],
      [rarely(1.2), () => this.#propose()],
      [0.4, () => this.#tick()],
      [0.15, () => this.#giveUp()],
      [0.15, () => this.#miss()],
      [rarely(some(0.5)), () => this.#fence()],
      [1, () => this.#unfence()],
      [rarely(some(0.4)), () => this.#crash()],
      [0.15, () => this.#stop()],
      [2, () => this.#start()],
      [some(0.3), () => this.#breakStream()],
      [0.05, () => world.controller.elect('preferred', [])],
      [only(options.losesDisks, 0.2), () => this.#loseJoiner()],
      [only(options.electsUncleanly, 0.3), () => electUncleanly(world)],
      [only(options.changesMinIsr, some(0.2)), () => this.#changeMinIsr()],
      [only(options.changesFlush, 0.2 + some(0.4)), () => this.#changeFlush()],
      [only(options.reassigns, some(0.4)), () => this.#reassign()],
      [only(options.dropsRecords, some(0.5)), () => this.#dropRecords()],
    ]
    this.#total = this.#acts.reduce((sum, [weight]) => sum + weight, 0)
  }

  act(): void {
    const { random } = this.#world
    this.#world.nowMs += random.below(6)
    let at = (random.uint32() / 2 ** 32) * this.#total
    for (const [weight, act] of this.#acts) {
      at -= weight
      if (at >= 0) continue
      act()
      return
    }
  }

  #pick<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : this.#world.random.pick(choices)
  }

  #leader(): PartitionReplica | undefined {
    return this.#pick(this.#world.leaders)
  }

  #machine(): ModelMachine {
    return this.#world.random.pick([...this.#world.machines.values()])
  }

  #produce(): void {
    const { random } = this.#world
    const leader = this.#leader()
    if (leader?.leader?.hasEnoughInSync || random.chance(0.15)) leader?.produce(1 + random.below(3))
  }

  #flush(): void {
    const behind = this.#world.running.filter(({ log }) => log.flushedOffset < log.endOffset)
    const replica = this.#pick(behind)
    replica?.log.flush()
    replica?.logMoved()
  }

  #subscribe(): void {
    const wanting = processesOf(this.#world).filter(({ replica }) => replica?.wantsSubscription)
    const process = this.#pick(wanting)
    if (process !== undefined) subscribe(this.#world, process)
  }

  #push(): void {
    const { random } = this.#world
    const leader = this.#leader()
    const subscriber = this.#pick(leader?.subscribers ?? [])
    if (leader === undefined || subscriber === undefined) return
    const { isOrdered } = this.#options
    const { progress, sentTo } = subscriber
    const before = leader.log.endingAt(progress.logEndOffset)?.baseOffset ?? 0n
    const acknowledged = random.chance(0.85) ? progress.logEndOffset : before
    push(this.#world, leader, subscriber, {
      from: isOrdered ? sentTo : acknowledged,
      count: random.below(4),
    })
  }

  #acknowledge(): void {
    const following = processesOf(this.#world).filter(
      ({ replica }) => replica?.follower?.isAccepted || this.#world.random.chance(0.02),
    )
    const process = this.#pick(following)
    if (process !== undefined) acknowledge(this.#world, process)
  }

  #deliver(): void {
    const { random, messages } = this.#world
    if (messages.length === 0) return
    const at = this.#next(random.chance(0.7) ? 0 : random.below(messages.length))
    const [message] = messages.splice(at, 1)
    if (message === undefined) return
    const isFar = this.#options.isControllerFar && message.to === 'controller'
    if (isFar && random.chance(0.85)) {
      this.#world.send(message)
      return
    }
    const isSafe = this.#options.isOrdered && 'stream' in message
    if (isSafe || random.chance(0.93)) this.#world.deliver(message)
    if (!isSafe && random.chance(0.03)) this.#world.send(message)
  }

  /** In order: of those that go the same way on one stream, the first. */
  #next(at: number): number {
    const { messages } = this.#world
    const message = messages[at] as Message
    if (!this.#options.isOrdered || !('stream' in message)) return at
    return messages.findIndex(
      (other) => 'stream' in other && other.stream === message.stream && other.to === message.to,
    )
  }

  #seeMetadata(): void {
    const { controller, random } = this.#world
    const late = processesOf(this.#world).filter(({ position }) => position < controller.newestView)
    const process = this.#pick(late)
    if (process !== undefined) seeMetadata(this.#world, process, 1 + random.below(3))
  }

  #propose(): void {
    const leader = this.#leader()
    if (leader !== undefined) propose(this.#world, leader)
  }

  #tick(): void {
    this.#leader()?.tick()
  }

  /** Nobody answers in time; what was asked may come true all the same. */
  #giveUp(): void {
    this.#leader()?.giveUp()
  }

  #miss(): void {
    const leader = this.#leader()
    const gone = leader?.subscribers.find(
      (each) => streamFrom(this.#world, leader, each) === undefined,
    )
    if (gone !== undefined) leader?.missing(gone.progress.nodeId)
  }

  #fence(): void {
    this.#world.controller.fence(this.#machine().nodeId)
  }

  #unfence(): void {
    unfence(this.#world, this.#machine())
  }

  #crash(): void {
    const { random } = this.#world
    const machine = this.#machine()
    const { log } = machine
    const unflushed = Number(log.endOffset - log.flushedOffset)
    const kept = log.flushedOffset + BigInt(random.below(unflushed + 1))
    const isSwapped = this.#options.losesDisks && random.chance(0.15)
    this.#world.end(machine, (each) => {
      if (isSwapped && !each.restoreBackup()) each.loseDisk()
      else if (isSwapped) return
      else if (random.chance(0.5)) each.losePower(kept)
      else each.kill()
    })
  }

  /** While a leader asks that a replica be in sync, its disk is replaced, and the new process takes part at once (KIP-903). */
  #loseJoiner(): void {
    const world = this.#world
    const joiners = world.messages.flatMap((message) =>
      message.to === 'controller' ? message.asked.request.isr : [],
    )
    const joiner = joiners.find(({ brokerEpoch }) => brokerEpoch !== -1n)
    const machine = world.machines.get(joiner?.nodeId ?? -1)
    if (machine === undefined) return
    world.end(machine, (each) => each.loseDisk())
    startAndRegister(world, machine)
    deliverNewest(world)
    deliverNewest(world)
    unfence(world, machine)
  }

  #stop(): void {
    const { controller } = this.#world
    const machine = this.#machine()
    const { replica } = machine.process ?? {}
    if (replica === undefined) return
    const { nodeId, brokerEpoch } = replica
    controller.run({ type: 'controlledShutdown', nodeId, brokerEpoch })
    if (controller.partition.leader === nodeId && this.#world.random.chance(0.8)) return
    this.#world.end(machine, (each) => each.stop())
  }

  #start(): void {
    const { machines } = this.#world
    const idle = [...machines.values()].filter(({ process }) => process?.replica === undefined)
    const machine = this.#pick(idle)
    if (machine !== undefined) startAndRegister(this.#world, machine)
  }

  #breakStream(): void {
    const stream = this.#pick(
      processesOf(this.#world).flatMap((each) => [...each.streams.values()]),
    )
    if (stream !== undefined) this.#world.breakStream(stream)
  }

  #changeMinIsr(): void {
    const { controller } = this.#world
    controller.set('min.insync.replicas', controller.partition.minIsr === 2 ? '1' : '2')
  }

  #changeFlush(): void {
    const { controller } = this.#world
    controller.set('naru.flush', controller.wantsFlushed ? 'async' : 'ack')
  }

  #reassign(): void {
    const { random, machines, controller } = this.#world
    const ids = [...machines.keys()]
    const shift = random.below(ids.length)
    const rotated: NodeId[] = [...ids.slice(shift), ...ids.slice(0, shift)]
    const wanted = rotated.slice(0, random.chance(0.8) ? 3 : 2)
    controller.reassign(random.chance(0.2) ? null : wanted)
    for (const machine of machines.values()) confirmDeletion(this.#world, machine)
  }

  #dropRecords(): void {
    const leader = this.#leader()
    const below = leader?.log.from(0n, 100).filter((batch) => {
      return batch.nextOffset <= (leader.leader?.highWatermark ?? 0n)
    })
    const batch = this.#pick(below ?? [])
    if (batch !== undefined) leader?.dropRecords(batch.nextOffset)
  }
}

export function processesOf(world: PartitionWorld): Process[] {
  const processes: Process[] = []
  for (const { process } of world.machines.values()) {
    if (process?.replica !== undefined) processes.push(process)
  }
  return processes
}

export function startAndRegister(world: PartitionWorld, machine: ModelMachine): void {
  world.start(machine)
  const { process } = machine
  if (process !== undefined && process.replica === undefined) {
    world.send({ to: 'registry', machine, process })
  }
}

function deliverNewest(world: PartitionWorld): void {
  const message = world.messages.pop()
  if (message !== undefined) world.deliver(message)
}

/** As its heartbeat asks for, when it has read up to its registration. */
export function unfence(world: PartitionWorld, { nodeId, process }: ModelMachine): void {
  const { replica } = process ?? {}
  const broker = world.controller.brokers.get(nodeId)
  if (replica === undefined || broker?.brokerEpoch !== replica.brokerEpoch) return
  world.controller.unfence(nodeId)
}

export function seeMetadata(world: PartitionWorld, process: Process, steps: number): void {
  const { views, newestView } = world.controller
  process.position = Math.min(newestView, process.position + steps)
  const view = views[process.position]
  if (view !== undefined) process.replica?.apply(view)
}

export function subscribe(world: PartitionWorld, process: Process): void {
  const stream = world.streamOf(process)
  if (stream === undefined || process.replica === undefined) return
  world.send({ to: 'leader', stream, content: process.replica.subscription() })
}

/** The stream on which a subscription came, while it is open. */
function streamFrom(
  world: PartitionWorld,
  leader: PartitionReplica,
  { id, progress }: Subscriber,
): Stream | undefined {
  const process = world.machines.get(leader.nodeId)?.process
  const follower = world.machines.get(progress.nodeId)?.process
  if (process === undefined) return undefined
  const stream = follower?.streams.get(process)
  return stream?.subscriptions.includes(id) ? stream : undefined
}

export function push(
  world: PartitionWorld,
  leader: PartitionReplica,
  subscriber: Subscriber,
  range: { from: bigint; count: number },
): void {
  const stream = streamFrom(world, leader, subscriber)
  if (stream === undefined) return
  world.send({ to: 'follower', stream, content: leader.data(subscriber, range) })
}

export function acknowledge(world: PartitionWorld, process: Process): void {
  const { replica } = process
  const stream = world.streamOf(process)
  if (stream === undefined || replica === undefined) return
  world.send({ to: 'leader', stream, content: replica.acknowledgement() })
}

export function propose(world: PartitionWorld, from: PartitionReplica): void {
  const asked = from.propose()
  if (asked !== undefined) world.send({ to: 'controller', from, asked })
}

export function confirmDeletion(world: PartitionWorld, { nodeId, process }: ModelMachine): void {
  if (!process?.replica?.hasDeleted) return
  const { topicId } = world.controller.partition
  world.controller.run({ type: 'confirmDeletion', nodeId, deletions: [{ topicId, partition: 0 }] })
}

/** An operator takes whoever has most, though something may be missing. */
export function electUncleanly(world: PartitionWorld): void {
  const { controller } = world
  if (controller.partition.leader !== -1) return
  // One that has yet to read that its data is to go is no candidate.
  const upToDate = processesOf(world).filter(({ position }) => position === controller.newestView)
  const candidates = upToDate.flatMap(({ replica }) => {
    if (replica === undefined) return []
    const { nodeId, brokerEpoch, log } = replica
    return [{ nodeId, brokerEpoch, lastEpoch: log.lastEpoch, logEndOffset: log.endOffset }]
  })
  const before = controller.partition
  controller.elect('unclean', candidates)
  const { partition } = controller
  if (partition === before || !partition.isRecovering) return
  const log = world.machines.get(partition.leader)?.log
  world.hadUncleanElection = true
  if (log !== undefined) world.history.forgive(partition.leaderEpoch, log)
}
