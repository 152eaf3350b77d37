import type { MessageNetwork, MessageStream, StreamClose } from '@naru/base'
import { beforeEach, describe, expect, it } from 'vitest'
import { calm, drawNetworkFaults } from './network-faults.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

/** What happened at one end of a stream. */
class End {
  readonly stream: MessageStream
  readonly messages: object[] = []
  readonly closes: StreamClose[] = []
  drains = 0

  constructor(stream: MessageStream) {
    this.stream = stream
    stream.handle({
      message: (message) => {
        expect(this.closes).toEqual([])
        this.messages.push(message)
      },
      drain: () => this.drains++,
      close: (reason) => this.closes.push(reason),
    })
  }

  get numbers(): number[] {
    return this.messages.map((message) => (message as { n: number }).n)
  }

  say(...numbers: number[]): void {
    for (const n of numbers) this.stream.send({ n })
  }
}

let clock: SimulatedClock
let network: SimulatedNetwork
const ports = new Map<string, MessageNetwork>()
/** Ends that b's listener was given. */
let accepted: End[]
const address = { host: 'b', port: 9_291 }

async function start(name: string): Promise<void> {
  ports.set(name, network.start(name).network)
}

async function listen(): Promise<void> {
  await ports.get('b')?.listen(address, (stream) => accepted.push(new End(stream)))
}

function open(from = 'a'): End {
  return new End((ports.get(from) as MessageNetwork).open(address, 'peer'))
}

async function run(ms: number): Promise<void> {
  await clock.drive(clock.pause(ms))
}

async function pair(): Promise<[End, End]> {
  const opener = open()
  await run(10)
  return [opener, accepted.at(-1) as End]
}

beforeEach(async () => {
  clock = new SimulatedClock()
  network = new SimulatedNetwork(clock, new SeededRandom(3))
  accepted = []
  await start('a')
  await start('b')
  await listen()
})

describe('a stream', () => {
  it('brings messages both ways, in order and once', async () => {
    network.faults = { ...calm, delayMs: 10, tailChance: 0.3, tailMs: 200 }
    const opener = open()
    opener.say(1, 2, 3)
    await run(1_000)
    accepted[0]?.say(7, 8)
    opener.say(4, 5)
    await run(2_000)
    expect(accepted[0]?.numbers).toEqual([1, 2, 3, 4, 5])
    expect(opener.numbers).toEqual([7, 8])
    expect([opener.closes, accepted[0]?.closes]).toEqual([[], []])
  })

  it('does not wait for another', async () => {
    network.faults = { ...calm, delayMs: 20 }
    const ends = Array.from({ length: 8 }, () => open())
    for (const [at, end] of ends.entries()) end.say(at)
    await run(1_000)
    const arrived = accepted.map(({ numbers }) => numbers[0])
    expect([...arrived].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(arrived).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('ends after what was sent before, and closes once at both ends', async () => {
    const [a, b] = await pair()
    a.say(1, 2)
    a.stream.end()
    a.say(3)
    await run(50)
    expect(b.numbers).toEqual([1, 2])
    expect(b.closes).toEqual(['ended'])
    expect(a.closes).toEqual(['lost'])
    b.stream.reset()
    a.stream.end()
    await run(50)
    expect([a.closes.length, b.closes.length]).toEqual([1, 1])
    expect(network.usage).toMatchObject({ streams: 0, messages: 0, bytes: 0, timers: 0 })
  })

  it('drops what is queued when it is reset', async () => {
    const [a, b] = await pair()
    a.say(1)
    a.stream.reset()
    expect(a.closes).toEqual([])
    await run(50)
    expect([a.closes, b.closes]).toEqual([['lost'], ['lost']])
    expect(b.numbers).toEqual([])
    b.say(1)
    await run(50)
    expect(network.usage.streams).toBe(0)
  })

  it('says when it is full, and when it has room again', async () => {
    const [a, b] = await pair()
    const answers = Array.from({ length: 70 }, (_, n) => a.stream.send({ n }))
    expect(answers.indexOf(false)).toBe(63)
    while (b.numbers.length < 30) await clock.step()
    expect(a.drains).toBe(0)
    await run(100)
    expect(b.numbers).toHaveLength(70)
    expect(a.drains).toBe(1)
    expect(a.stream.send({ n: 0 })).toBe(true)
    expect(a.stream.send({ data: Buffer.alloc(2 << 20) })).toBe(false)
    await run(100)
    expect(a.drains).toBe(2)
  })

  it('does not bear a sender that never waits', async () => {
    const [a] = await pair()
    const flood = () => {
      for (let n = 0; n < 200; n++) a.stream.send({ n })
    }
    expect(flood).toThrow('without waiting for the drain')
    expect(() => network.check()).toThrow('without waiting for the drain')
  })

  it('carries copies, and plain data only', async () => {
    const [a, b] = await pair()
    const message = { text: 'x', list: [1, true], part: { data: Buffer.from('abc') } }
    a.stream.send({ ...message, absent: undefined })
    message.part.data[0] = 0
    message.list.push(2)
    await run(10)
    expect(b.messages).toEqual([{ text: 'x', list: [1, true], part: { data: Buffer.from('abc') } }])
    expect(Buffer.isBuffer((b.messages[0] as typeof message).part.data)).toBe(true)
    for (const value of [1n, [undefined], null, new Map(), new Uint8Array(1), () => {}]) {
      expect(() => a.stream.send({ deep: [{ value }] })).toThrow(
        /message\.deep\[0\]\.value(\[0\])? is/,
      )
    }
  })
})

describe('nobody there', () => {
  it('refuses where nobody listens, and where the process is dead', async () => {
    const strange = new End((ports.get('a') as MessageNetwork).open({ host: 'b', port: 1 }, 'peer'))
    strange.say(1)
    await run(20)
    expect(strange.closes).toEqual(['refused'])
    network.kill('b', 40)
    const during = open()
    await run(20)
    expect(during.closes).toEqual([])
    await run(40)
    expect(during.closes).toEqual(['refused'])
  })

  it('is silent where the power is off, until the attempt is given up', async () => {
    network.powerLoss('b')
    const end = open()
    await run(19_000)
    expect(end.closes).toEqual([])
    await run(2_000)
    expect(end.closes).toEqual(['lost'])
    expect(network.usage.streams).toBe(0)
  })

  it('leaves attempts unanswered when told to', async () => {
    network.faults = { ...calm, hangChance: 1 }
    const end = open()
    await run(5_000)
    expect([end.closes, accepted]).toEqual([[], []])
    end.stream.reset()
    await run(1)
    expect(end.closes).toEqual(['lost'])
    expect(network.usage).toMatchObject({ streams: 0, timers: 0 })
  })

  it('refuses once a server has closed, and resets what it had', async () => {
    const { network: port } = network.start('c')
    const ends: End[] = []
    const accept = (stream: MessageStream) => ends.push(new End(stream))
    const server = await port.listen({ host: 'c', port: 0 }, accept)
    const before = new End((ports.get('a') as MessageNetwork).open(server.address, 'peer'))
    await run(20)
    await clock.drive(server.close())
    const after = new End((ports.get('a') as MessageNetwork).open(server.address, 'peer'))
    await run(20)
    expect([before.closes, after.closes, ends[0]?.closes]).toEqual([
      ['lost'],
      ['refused'],
      ['lost'],
    ])
  })

  it('lets only one listen at a place, and only at its own', async () => {
    const port = ports.get('b') as MessageNetwork
    await expect(port.listen(address, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const elsewhere = port.listen({ host: 'a', port: 0 }, () => {})
    await expect(elsewhere).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })
})

describe('processes', () => {
  it('a killed one is refused to its peers, who may have part of what it said', async () => {
    const counts = new Set<number>()
    for (let round = 0; round < 12; round++) {
      const [a, b] = await pair()
      b.say(1, 2, 3)
      network.kill('b')
      await run(200)
      expect(a.closes).toEqual(['refused'])
      expect(b.closes).toEqual([])
      expect(a.numbers).toEqual([1, 2, 3].slice(0, a.numbers.length))
      counts.add(a.numbers.length)
      await start('b')
      await listen()
    }
    expect(counts.size).toBeGreaterThan(2)
    expect(network.usage.streams).toBe(0)
  })

  it('one that lost its power says nothing, and its kernel knows nothing afterwards', async () => {
    const [a] = await pair()
    network.powerLoss('b')
    a.say(1)
    await run(10_000)
    expect(a.closes).toEqual([])
    network.powerOn('b')
    await run(20)
    expect(a.closes).toEqual(['refused'])
    expect(network.usage.streams).toBe(0)
  })

  it('one that is stopped takes streams and messages when it goes on, and its timers too', async () => {
    const [a, b] = await pair()
    const fired: number[] = []
    const [, , , unwanted] = [30, 10, 20, 15].map((ms) =>
      network.processOn('b')?.setTimer(ms, () => fired.push(ms)),
    )
    network.stop('b')
    a.say(1, 2)
    const other = open()
    other.say(3)
    await run(15_000)
    expect([a.closes, other.closes, b.numbers, accepted.length, fired]).toEqual([[], [], [], 1, []])
    unwanted?.cancel()
    network.goOn('b')
    await run(10)
    expect([b.numbers, accepted[1]?.numbers, fired]).toEqual([[1, 2], [3], [10, 20, 30]])
  })

  it('one that is stopped and then killed is refused to all', async () => {
    const [a] = await pair()
    network.stop('b')
    a.say(1)
    const other = open()
    await run(1_000)
    network.kill('b')
    await run(200)
    expect([a.closes, other.closes, accepted.length]).toEqual([['refused'], ['refused'], 1])
    expect(network.usage.streams).toBe(0)
  })

  it('a dead one hears no timer', async () => {
    let isHeard = false
    network.processOn('b')?.setTimer(5, () => {
      isHeard = true
    })
    network.kill('b')
    await run(50)
    expect(isHeard).toBe(false)
  })
})

describe('partitions', () => {
  it('hold up one direction, or both, and nothing is lost when they heal', async () => {
    const [a, b] = await pair()
    network.cut('a', 'b')
    a.say(1, 2)
    b.say(3)
    await run(1_000)
    expect([a.numbers, b.numbers]).toEqual([[3], []])
    network.part('a', 'b')
    b.say(4)
    await run(1_000)
    expect(a.numbers).toEqual([3])
    network.heal('a', 'b')
    await run(20)
    expect([a.numbers, b.numbers]).toEqual([
      [3, 4],
      [1, 2],
    ])
    expect([a.closes, b.closes]).toEqual([[], []])
  })

  it('may end streams when they heal', async () => {
    network.faults = { ...calm, brokenByHealChance: 1 }
    const [a, b] = await pair()
    network.part('a', 'b')
    a.say(1)
    await run(100)
    network.healAll()
    await run(20)
    expect([a.closes, b.closes, b.numbers]).toEqual([['lost'], ['lost'], []])
  })

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('keep attempts waiting: %s to %s', async (from, to) => {
    network.cut(from, to)
    const end = open()
    await run(5_000)
    expect([end.closes, accepted]).toEqual([[], []])
    network.heal('a', 'b')
    await run(20)
    expect(accepted).toHaveLength(1)
  })

  it('let what others say pass, and a clogged way opens by itself', async () => {
    await start('c')
    network.part('a', 'b')
    const third = open('c')
    third.say(1)
    await run(20)
    expect(accepted[0]?.numbers).toEqual([1])
    network.clog('c', 'b', 500)
    third.say(2)
    await run(400)
    expect(accepted[0]?.numbers).toEqual([1])
    await run(150)
    expect(accepted[0]?.numbers).toEqual([1, 2])
  })
})

describe('breaks', () => {
  it('a stream that breaks is lost at both ends', async () => {
    network.faults = { ...calm, resetChance: 1 }
    const [a, b] = await pair()
    a.say(1)
    await run(20)
    expect([a.closes, b.closes, b.numbers]).toEqual([['lost'], ['lost'], []])
  })

  it('one that breaks in half is silent at the other end, or tells it when it speaks', async () => {
    const fates = new Set<string>()
    for (let round = 0; round < 12; round++) {
      const [a, b] = await pair()
      network.streams.at(-1)?.breakHalf(0)
      a.say(1)
      b.say(2)
      await run(5_000)
      expect([b.closes, b.numbers, a.numbers]).toEqual([['lost'], [], []])
      fates.add(a.closes.join())
      a.say(3)
      await run(100)
      a.stream.reset()
      await run(10)
      expect(a.closes).toHaveLength(1)
    }
    expect([...fates].sort()).toEqual(['', 'refused'])
    expect(network.usage.streams).toBe(0)
  })
})

/** Three processes that open, talk, end and reset under all faults, die and come back. */
async function babble(seed: number) {
  const time = new SimulatedClock()
  const random = new SeededRandom(seed)
  const net = new SimulatedNetwork(time, random.split())
  net.faults = drawNetworkFaults(random)
  const names = ['a', 'b', 'c']
  const ends: End[] = []
  const life = async (name: string) => {
    const { network: port } = net.start(name)
    const place = { host: name, port: 1 }
    await port.listen(place, (stream) => ends.push(new End(stream)))
    return port
  }
  const living = new Map<string, MessageNetwork>()
  for (const name of names) living.set(name, await life(name))
  let n = 0
  for (let step = 0; step < 400; step++) {
    await time.drive(time.pause(random.below(20)))
    const name = random.pick(names)
    const end = random.pick([undefined, ...ends.filter(({ closes }) => closes.length === 0)])
    const act = random.below(20)
    if (act < 3 && net.processOn(name)?.state === 'running') {
      ends.push(
        new End(
          (living.get(name) as MessageNetwork).open({ host: random.pick(names), port: 1 }, 'peer'),
        ),
      )
    } else if (act < 14) end?.stream.send({ n: n++ })
    else if (act === 14) end?.stream.reset()
    else if (act === 15) end?.stream.end()
    else if (act === 16) net.cut(name, random.pick(names))
    else if (act === 17) net.healAll()
    else if (act === 18) (random.chance(0.5) ? net.stop : net.goOn).call(net, name)
    else if (random.chance(0.3)) {
      if (random.chance(0.5)) net.kill(name)
      else net.powerLoss(name)
      living.set(name, await life(name))
    }
  }
  net.faults = calm
  net.healAll()
  for (const name of names) net.goOn(name)
  for (const { stream } of ends) stream.reset()
  await time.drive(time.pause(30_000))
  net.check()
  return { ends, net }
}

describe('at random', () => {
  it('keeps order, closes once, and leaves nothing behind', async () => {
    let messages = 0
    for (let seed = 1; seed <= 60; seed++) {
      const { ends, net } = await babble(seed)
      for (const { numbers, closes } of ends) {
        expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y))
        expect(closes.length).toBeLessThan(2)
        messages += numbers.length
      }
      expect(net.usage, `seed ${seed}`).toEqual({
        streams: 0,
        listeners: 3,
        messages: 0,
        bytes: 0,
        timers: 0,
      })
    }
    expect(messages).toBeGreaterThan(2_000)
  })

  it('depends on the seed alone', async () => {
    const traces: string[] = []
    for (const seed of [5, 5, 6, 6]) {
      const { net } = await babble(seed)
      traces.push(`${net.trace.value} of ${net.trace.count}`)
    }
    expect(traces[0]).toBe(traces[1])
    expect(traces[2]).toBe(traces[3])
    expect(traces[0]).not.toBe(traces[2])
  })
})
