import { beforeEach, describe, expect, it } from 'vitest'
import { BrokerLiveness } from './broker-liveness.ts'
import type { Heartbeat, SessionAnswer } from './broker-session.ts'
import type { Command } from './commands.ts'
import { directoryOfBroker, TestCluster } from './testing/cluster.ts'

/** A controller on broker 1 with brokers 1, 2 and 3: its commands are carried out at once. */
class World {
  readonly cluster = new TestCluster(1, 2, 3)
  readonly liveness = new BrokerLiveness(1)
  readonly commands: string[] = []
  probes = 0
  nowMs = 0
  readonly answers = new Map<number, SessionAnswer>()

  constructor() {
    this.liveness.activated(this.cluster.image.brokers.values(), this.nowMs)
    for (const nodeId of [1, 2, 3]) this.heartbeat(nodeId)
    this.commands.length = 0
  }

  heartbeat(nodeId: number, changes: Partial<Heartbeat> = {}): SessionAnswer | undefined {
    this.liveness.heartbeat(
      nodeId,
      {
        brokerEpoch: this.cluster.key(nodeId).brokerEpoch,
        metadataOffset: this.cluster.index,
        wantFence: false,
        wantShutdown: false,
        offlineDirectories: [],
        peersDown: [],
        sequence: 1n,
        ...changes,
      },
      this.nowMs,
    )
    this.#drain()
    return this.answers.get(nodeId)
  }

  /** Time passes while these brokers send heartbeats. */
  pass(ms: number, alive: readonly number[] = [1, 2, 3]): void {
    const end = this.nowMs + ms
    let nextBeat = this.nowMs + 200
    while (true) {
      const at = Math.min(nextBeat, this.liveness.deadlineMs ?? end, end)
      this.nowMs = at
      this.liveness.elapsed(at)
      this.#drain()
      if (at >= nextBeat) {
        for (const nodeId of alive) this.heartbeat(nodeId)
        nextBeat += 200
      }
      if (at >= end) return
    }
  }

  closed(nodeId: number): void {
    this.liveness.streamClosed(nodeId, this.incarnation(nodeId), this.nowMs)
    this.#drain()
  }

  hello(nodeId: number, incarnationId = this.incarnation(nodeId)): void {
    this.liveness.hello(nodeId, incarnationId, this.nowMs)
    this.#drain()
  }

  incarnation(nodeId: number): string {
    return this.cluster.image.brokers.get(nodeId)?.incarnationId ?? ''
  }

  isFenced(nodeId: number): boolean | undefined {
    return this.cluster.image.brokers.get(nodeId)?.isFenced
  }

  #drain(): void {
    for (const output of this.liveness.takeOutputs()) {
      if (output.type === 'probe') this.probes++
      else if (output.type === 'answer') this.answers.set(output.nodeId, output.answer)
      else this.#carryOut(output.nodeId, output.command)
    }
  }

  #carryOut(nodeId: number, command: Command): void {
    const { cluster, liveness } = this
    const cause = 'cause' in command ? ` (${command.cause})` : ''
    this.commands.push(`${command.type} ${nodeId}${cause}`)
    const { brokerEpoch } = cluster.key(nodeId)
    const response = cluster.run(command)
    if ('movable' in response) {
      const { movable } = response as { movable: number }
      liveness.shutdownDecided(nodeId, { brokerEpoch, index: cluster.index, movable })
    }
    for (const broker of cluster.image.brokers.values()) {
      liveness.brokerChanged(broker.nodeId, broker, this.nowMs)
    }
    liveness.settled(nodeId, brokerEpoch)
    this.#drain()
  }
}

let world: World
beforeEach(() => {
  world = new World()
})

describe('the session timeout', () => {
  it('comes at its deadline, also where the difference of two times is rounded down', () => {
    world.nowMs = 8_000.137000001
    for (const nodeId of [1, 2, 3]) world.heartbeat(nodeId)
    const { deadlineMs = 0 } = world.liveness
    // Else whoever waits for the deadline would wait for it again, and again.
    expect(deadlineMs - world.nowMs).toBeLessThan(2_000)
    world.liveness.elapsed(deadlineMs)
    const submitted = world.liveness.takeOutputs().filter(({ type }) => type === 'submit')
    expect(submitted.map(({ nodeId }) => nodeId)).toEqual([2, 3])
  })

  it('fences after 2 s of silence, and not before', () => {
    world.pass(1_999, [1, 3])
    expect(world.commands).toEqual([])
    world.pass(1, [1, 3])
    expect(world.commands).toEqual(['fenceBroker 2 (session timeout)'])
  })

  it('is the same for a broker with an open port: a connection is no sign of life', () => {
    world.closed(2)
    world.hello(2)
    world.pass(1_999, [1, 3])
    expect(world.isFenced(2)).toBe(false)
    world.pass(2, [1, 3])
    expect(world.isFenced(2)).toBe(true)
  })

  it("never fences the controller's own broker", () => {
    world.pass(10_000, [2, 3])
    world.closed(1)
    world.pass(1_000, [2, 3])
    expect(world.commands).toEqual([])
  })

  it('begins anew for all when the controller itself stood still', () => {
    world.nowMs += 10_000
    world.liveness.elapsed(world.nowMs)
    expect(world.liveness.takeOutputs()).toEqual([])
    world.pass(1_999, [1, 3])
    expect(world.commands).toEqual([])
    world.pass(1, [1, 3])
    expect(world.commands).toEqual(['fenceBroker 2 (session timeout)'])
  })
})

describe('a closed stream', () => {
  it('fences after the grace, during which the process is asked four times', () => {
    world.closed(2)
    world.pass(79, [1, 3])
    expect(world.probes).toBe(4)
    expect(world.commands).toEqual([])
    world.pass(1, [1, 3])
    expect(world.commands).toEqual(['fenceBroker 2 (connection lost)'])
  })

  it('fences nobody who says hello in time', () => {
    world.closed(2)
    world.pass(60)
    world.hello(2)
    world.pass(1_000)
    expect(world.commands).toEqual([])
  })

  it('does not wait any longer when the next process says hello', () => {
    world.closed(2)
    world.pass(20, [1, 3])
    world.hello(2, 'another')
    expect(world.commands).toEqual(['fenceBroker 2 (connection lost)'])
  })

  it('of an older process means nothing', () => {
    world.liveness.streamClosed(2, 'older', world.nowMs)
    world.pass(1_000)
    expect(world.commands).toEqual([])
  })

  it('fences at once after a goodbye', () => {
    world.liveness.goodbye(2, world.incarnation(2))
    world.pass(0)
    expect(world.commands).toEqual(['fenceBroker 2 (stopped)'])
  })

  it('is left to the session timeout once it came back three times within a minute', () => {
    for (let i = 0; i < 3; i++) {
      world.closed(2)
      world.pass(80, [1, 3])
      expect(world.isFenced(2)).toBe(true)
      world.heartbeat(2)
      expect(world.isFenced(2)).toBe(false)
    }
    world.closed(2)
    world.pass(1_000, [1, 3])
    expect(world.isFenced(2)).toBe(false)
    world.pass(1_000, [1, 3])
    expect(world.commands.at(-1)).toBe('fenceBroker 2 (session timeout)')
    world.heartbeat(2)
    world.pass(60_000)
    world.closed(2)
    world.pass(80, [1, 3])
    expect(world.commands.at(-1)).toBe('fenceBroker 2 (connection lost)')
  })

  it('is never left to it for processes that died', () => {
    for (let i = 0; i < 5; i++) {
      world.closed(2)
      world.pass(80, [1, 3])
      expect(world.isFenced(2)).toBe(true)
      world.cluster.start(2)
      const broker = world.cluster.image.brokers.get(2)
      world.liveness.brokerChanged(2, broker, world.nowMs)
      world.heartbeat(2)
      expect(world.isFenced(2)).toBe(false)
    }
  })
})

describe('reports of others', () => {
  it('lead to questions, and fence nobody who can be heard', () => {
    world.heartbeat(3, { peersDown: [2] })
    world.liveness.probeFailed(2, world.incarnation(2))
    world.pass(1_000)
    expect(world.probes).toBe(4)
    expect(world.commands).toEqual([])
  })
})

describe('a new controller', () => {
  const restarted = () => {
    world.liveness.activated(world.cluster.image.brokers.values(), world.nowMs)
    world.probes = 0
  }

  it('gives whoever answers a full timeout', () => {
    world.pass(1_900, [1, 3])
    restarted()
    world.hello(2)
    world.pass(1_999, [1, 3])
    expect(world.commands).toEqual([])
    world.pass(1, [1, 3])
    expect(world.commands).toEqual(['fenceBroker 2 (session timeout)'])
  })

  it('fences whoever refuses after the grace, and waits for whoever is silent', () => {
    restarted()
    world.pass(10, [])
    world.liveness.probeFailed(2, world.incarnation(2))
    world.pass(70, [])
    expect(world.commands).toEqual(['fenceBroker 2 (connection lost)'])
    expect(world.probes).toBe(8)
  })
})

describe('a fenced broker', () => {
  beforeEach(() => {
    world.cluster.fence(2)
    world.liveness.brokerChanged(2, world.cluster.image.brokers.get(2), world.nowMs)
    world.commands.length = 0
  })

  it('takes part again when it has read up to its registration and wants to', () => {
    const { brokerEpoch } = world.cluster.key(2)
    world.heartbeat(2, { metadataOffset: brokerEpoch - 1n })
    world.heartbeat(2, { wantFence: true })
    expect(world.commands).toEqual([])
    expect(world.heartbeat(2, { metadataOffset: brokerEpoch })?.isFenced).toBe(true)
    expect(world.commands).toEqual(['unfenceBroker 2'])
    expect(world.heartbeat(2)?.isFenced).toBe(false)
  })

  it('has a full timeout from when it takes part, however long that took', () => {
    world.pass(5_000, [1, 3])
    world.cluster.unfence(2)
    world.liveness.brokerChanged(2, world.cluster.image.brokers.get(2), world.nowMs)
    world.pass(1_999, [1, 3])
    expect(world.commands).toEqual([])
    world.pass(1, [1, 3])
    expect(world.commands).toEqual(['fenceBroker 2 (session timeout)'])
  })

  it('may stop at once', () => {
    expect(world.heartbeat(2, { wantShutdown: true })).toMatchObject({ mayStop: true })
    expect(world.commands).toEqual([])
  })

  it('of an older registration is told to register again', () => {
    expect(world.heartbeat(2, { brokerEpoch: 0n })).toMatchObject({ isStale: true })
    expect(world.commands).toEqual([])
  })
})

describe('a broker that wants to stop', () => {
  it('may when its leaderships have moved and every other broker knows', () => {
    world.cluster.topic([2, 3])
    world.heartbeat(2, { wantShutdown: true })
    expect(world.commands).toEqual(['controlledShutdown 2'])
    expect(world.cluster.partition.leader).toBe(3)
    const { index } = world.cluster
    world.heartbeat(1, { metadataOffset: index })
    world.heartbeat(3, { metadataOffset: index - 1n })
    expect(world.heartbeat(2, { wantShutdown: true })?.mayStop).toBe(false)
    world.heartbeat(3, { metadataOffset: index })
    expect(world.heartbeat(2, { wantShutdown: true })?.mayStop).toBe(true)
    expect(world.commands).toEqual(['controlledShutdown 2'])
  })

  it('waits for a live replica that may catch up, not for one that is away', () => {
    world.cluster.topic([2, 3], { 'min.insync.replicas': '1' })
    expect(world.cluster.propose([2])).toBe('0')
    const stop = () => {
      world.heartbeat(2, { wantShutdown: true })
      for (const nodeId of [1, 3]) world.heartbeat(nodeId)
      return world.heartbeat(2, { wantShutdown: true })?.mayStop
    }
    expect(stop()).toBe(false)
    expect(world.cluster.partition.leader).toBe(2)
    world.cluster.fence(3)
    world.liveness.brokerChanged(3, world.cluster.image.brokers.get(3), world.nowMs)
    world.heartbeat(3, { wantFence: true })
    expect(stop()).toBe(true)
  })
})

it('a failed directory is reported once', () => {
  const offlineDirectories = [directoryOfBroker(2)]
  world.heartbeat(2, { offlineDirectories })
  world.heartbeat(2, { offlineDirectories })
  expect(world.commands).toEqual(['reportOfflineDirectories 2'])
})

it('has one command at a time under way for each broker, and remembers a goodbye meanwhile', () => {
  const { cluster, liveness } = world
  const key = cluster.key(2)
  const heartbeat = { metadataOffset: 0n, wantFence: false, offlineDirectories: [], peersDown: [] }
  const stop = { ...heartbeat, brokerEpoch: key.brokerEpoch, wantShutdown: true, sequence: 1n }
  const submitted = () => {
    const outputs = liveness.takeOutputs()
    return outputs.flatMap((output) => (output.type === 'submit' ? [output.command.type] : []))
  }
  liveness.heartbeat(2, stop, world.nowMs)
  liveness.heartbeat(2, stop, world.nowMs)
  liveness.goodbye(2, world.incarnation(2))
  expect(submitted()).toEqual(['controlledShutdown'])
  liveness.settled(2, key.brokerEpoch)
  expect(submitted()).toEqual(['fenceBroker'])
})
