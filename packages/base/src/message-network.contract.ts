/** What every network of message streams must do; run by the tests of each. Messages are frames of `naru.internal.v1`. */
import { afterEach, expect, it } from 'vitest'
import type { Address } from './byte-transport.ts'
import type {
  MessageNetwork,
  MessageServer,
  MessageStream,
  StreamClose,
  StreamService,
} from './message-network.ts'

export interface NetworkUnderTest {
  readonly network: MessageNetwork
  /** Where a server may listen; each call gives another. */
  address(): Address
  /** An address where nobody listens. */
  nobody(): Address
  /** Lets time pass until the condition holds; fails after a deadline. */
  until(condition: () => boolean): Promise<void>
}

type Frame = { readonly [field: string]: unknown }

/** A stream, and what has happened to it. */
class Recorded {
  readonly stream: MessageStream
  readonly messages: Frame[] = []
  readonly closes: StreamClose[] = []
  drains = 0

  constructor(stream: MessageStream, onMessage: (message: Frame) => void = () => {}) {
    this.stream = stream
    stream.handle({
      message: (message) => {
        this.messages.push(message as Frame)
        onMessage(message as Frame)
      },
      drain: () => this.drains++,
      close: (reason) => this.closes.push(reason),
    })
  }
}

const call = (id: number, payload: Buffer = Buffer.alloc(0)) => ({
  calls: [{ id, operation: 'op', payload }],
})
const idsOf = (messages: readonly Frame[]) =>
  messages.flatMap((each) => (each['calls'] as { id: number }[]).map(({ id }) => id))
const upTo = (count: number) => Array.from({ length: count }, (_, id) => id)

export function messageNetworkContract(create: () => NetworkUnderTest): void {
  const servers: MessageServer[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  async function serve(on: NetworkUnderTest, onMessage?: (from: Recorded, frame: Frame) => void) {
    const accepted: Recorded[] = []
    const server = await on.network.listen(on.address(), (stream) => {
      const recorded: Recorded = new Recorded(stream, (frame) => onMessage?.(recorded, frame))
      accepted.push(recorded)
    })
    servers.push(server)
    return { server, accepted }
  }

  /** Two ends of one stream, both of which have heard of the other. */
  async function pair(service: StreamService = 'peer') {
    const under = create()
    const { server, accepted } = await serve(under)
    const opener = new Recorded(under.network.open(server.address, service))
    const [asked, answered] =
      service === 'peer' ? [call(-1), call(-1)] : [{ cancelled: [-1] }, { refused: [] }]
    opener.stream.send(asked)
    await under.until(() => accepted[0]?.messages.length === 1)
    const acceptor = accepted[0]!
    acceptor.stream.send(answered)
    await under.until(() => opener.messages.length === 1)
    opener.messages.length = 0
    acceptor.messages.length = 0
    return { ...under, server, opener, acceptor }
  }

  it('delivers once and in order, in both directions at once', async () => {
    const { opener, acceptor, until } = await pair()
    for (const id of upTo(500)) {
      opener.stream.send(call(id, Buffer.from(`${id}`)))
      acceptor.stream.send(call(id))
    }
    await until(() => opener.messages.length >= 500 && acceptor.messages.length >= 500)
    expect(idsOf(opener.messages)).toEqual(upTo(500))
    expect(idsOf(acceptor.messages)).toEqual(upTo(500))
    expect([...opener.closes, ...acceptor.closes]).toEqual([])
  })

  it('delivers what was sent before the stream was there', async () => {
    const under = create()
    const { server, accepted } = await serve(under)
    const { stream } = new Recorded(under.network.open(server.address, 'peer'))
    for (const id of upTo(10)) stream.send(call(id))
    await under.until(() => accepted[0]?.messages.length === 10)
    expect(idsOf(accepted[0]!.messages)).toEqual(upTo(10))
  })

  it('carries every kind of field both ways', async () => {
    const { opener, acceptor, until } = await pair()
    const frame = {
      hello: { clusterId: 'ünï', nodeId: -1, directoryId: '', incarnationId: 'x', isEmpty: true },
      raft: [
        {
          from: '1/a',
          to: '2/b',
          term: '9223372036854775807',
          append: {
            prevIndex: '-1',
            prevTerm: '0',
            entries: [
              { index: '1', term: '1', data: Buffer.from([0, 1, 255]) },
              { index: '2', term: '1', data: Buffer.alloc(0) },
              { index: '3', term: '1', noop: {} },
              { index: '4', term: '1', voters: { keys: ['1/a', '2/b'] } },
            ],
            commitIndex: '9007199254740993',
          },
        },
        { from: '1/a', to: '2/b', term: '2', voteReply: { granted: false } },
      ],
      heartbeat: { brokerEpoch: '7', offlineDirectories: ['d'], peersDown: [3, 4] },
      results: [
        { id: 1, metadataIndex: '0', payload: Buffer.alloc(0) },
        { id: 2, metadataIndex: '5', failure: 'NOT_LEADER' },
      ],
      goodbye: {},
    }
    opener.stream.send(frame)
    acceptor.stream.send(frame)
    await until(() => opener.messages.length === 1 && acceptor.messages.length === 1)
    expect(opener.messages[0]).toMatchObject(frame)
    expect(acceptor.messages[0]).toMatchObject(frame)
    const [first] = (acceptor.messages[0]!['raft'] as { append: { entries: Frame[] } }[])!
    expect(Buffer.isBuffer(first!.append.entries[1]!['data'])).toBe(true)
    expect(first!.append.entries[2]).toEqual({ index: '3', term: '1', noop: {} })
  })

  it('carries every kind of field of replication, records as a view of all that was given', async () => {
    const { opener, acceptor, until } = await pair('replication')
    const hello = {
      clusterId: 'ünï',
      nodeId: 1,
      expectedNodeId: 0,
      brokerEpoch: 9_007_199_254_740_993n,
      incarnationId: '',
    }
    const subscription = {
      id: 1,
      topicId: 't',
      partition: 2,
      leaderEpoch: 3,
      logEndOffset: 2n ** 63n - 1n,
      flushedOffset: 5n,
      lastEpoch: -1,
    }
    const head = { id: 1, logStartOffset: 0n, highWatermark: 7n }
    const records = [Buffer.from([0, 255]), Buffer.alloc(0), Buffer.from('x')]
    const credits = [{ id: 1, bytes: -1 }]
    opener.stream.send({ hello, subscriptions: [subscription], cancelled: [-5, 6], credits })
    acceptor.stream.send({
      batches: [
        { ...head, records },
        { ...head, records: [] },
      ],
    })
    records[0]?.fill(9)
    await until(() => opener.messages.length === 1 && acceptor.messages.length === 1)
    expect(acceptor.messages[0]).toEqual({
      hello,
      subscriptions: [subscription],
      acknowledgements: [],
      cancelled: [-5, 6],
      credits,
    })
    expect(opener.messages[0]).toEqual({
      hello: undefined,
      accepted: [],
      diverging: [],
      refused: [],
      batches: [
        { ...head, records: Buffer.from([0, 255, 120]) },
        { ...head, records: Buffer.alloc(0) },
      ],
    })
  })

  it('gives absent messages as undefined, and scalars and lists with their defaults', async () => {
    const { opener, acceptor, until } = await pair()
    opener.stream.send({ session: {}, raft: [{ appendReply: {} }] })
    await until(() => acceptor.messages.length === 1)
    const frame = acceptor.messages[0]!
    expect(frame).toEqual({
      hello: undefined,
      raft: [
        {
          from: '',
          to: '',
          term: '0',
          appendReply: { matchIndex: '0', rejected: undefined, isRecovering: false, recoveries: 0 },
        },
      ],
      heartbeat: undefined,
      session: { brokerEpoch: '0', isFenced: false, mayStop: false, sequence: '0', isStale: false },
      calls: [],
      results: [],
      goodbye: undefined,
      addresses: [],
    })
    // A member of a oneof that was not set is not there.
    expect('vote' in (frame['raft'] as Frame[])[0]!).toBe(false)
    opener.stream.send({})
    await until(() => acceptor.messages.length === 2)
    expect(acceptor.messages[1]!['raft']).toEqual([])
  })

  it('carries 8 MiB in one message, both ways', async () => {
    const { opener, acceptor, until } = await pair()
    const payload = Buffer.alloc(8 << 20, 'naru')
    opener.stream.send(call(1, payload))
    acceptor.stream.send(call(2, payload))
    await until(() => opener.messages.length === 1 && acceptor.messages.length === 1)
    for (const { messages } of [opener, acceptor]) {
      const [received] = messages[0]!['calls'] as { payload: Buffer }[]
      expect(received!.payload.equals(payload)).toBe(true)
    }
  })

  it('says when to wait, and when there is room again', async () => {
    const { opener, acceptor, until } = await pair()
    for (const [sender, receiver] of [
      [opener, acceptor],
      [acceptor, opener],
    ] as const) {
      let sent = 0
      // What a network may take before it says to wait is bounded.
      while (sender.stream.send(call(sent++, Buffer.alloc(256 << 10))))
        expect(sent).toBeLessThan(64)
      await until(() => sender.drains === 1)
      await until(() => receiver.messages.length === sent)
      sender.stream.send(call(sent))
      await until(() => receiver.messages.length === sent + 1)
      expect(idsOf(receiver.messages)).toEqual(upTo(sent + 1))
      expect(sender.drains).toBe(1)
    }
  })

  it.each(['opener', 'acceptor'] as const)(
    'delivers what the %s queued before its end',
    async (who) => {
      const both = await pair()
      const [ending, other] =
        who === 'opener' ? [both.opener, both.acceptor] : [both.acceptor, both.opener]
      for (const id of upTo(50)) ending.stream.send(call(id, Buffer.alloc(64 << 10)))
      ending.stream.end()
      ending.stream.send(call(50))
      await both.until(() => ending.closes.length > 0 && other.closes.length > 0)
      expect(idsOf(other.messages)).toEqual(upTo(50))
      expect(other.closes).toEqual(['ended'])
      expect(ending.closes).toEqual(['lost'])
    },
  )

  it.each(['opener', 'acceptor'] as const)(
    'resets: the %s knows at once, the other soon',
    async (who) => {
      const both = await pair()
      const [resetting, other] =
        who === 'opener' ? [both.opener, both.acceptor] : [both.acceptor, both.opener]
      resetting.stream.reset()
      resetting.stream.reset()
      resetting.stream.end()
      await both.until(() => resetting.closes.length > 0 && other.closes.length > 0)
      expect(resetting.closes).toEqual(['lost'])
      expect(other.closes).toEqual(['lost'])
    },
  )

  it('gives no message after the close, and takes none', async () => {
    const { opener, acceptor, until } = await pair()
    for (const id of upTo(100)) acceptor.stream.send(call(id))
    opener.stream.reset()
    await until(() => opener.closes.length > 0 && acceptor.closes.length > 0)
    const received = opener.messages.length
    for (const { stream } of [opener, acceptor]) {
      stream.send(call(1))
      stream.end()
      stream.reset()
    }
    await until(() => true)
    expect(opener.messages.length).toBe(received)
    expect(acceptor.messages).toEqual([])
    expect([opener.closes, acceptor.closes]).toEqual([['lost'], ['lost']])
  })

  it('resets what is not handled in the turn it came', async () => {
    const under = create()
    const server = await under.network.listen(under.address(), (stream) => stream.reset())
    servers.push(server)
    const opener = new Recorded(under.network.open(server.address, 'replication'))
    opener.stream.send({ cancelled: [1] })
    await under.until(() => opener.closes.length > 0)
    expect(opener.closes).toEqual(['lost'])
  })

  it('serves both services at one address, and keeps them apart', async () => {
    const under = create()
    const accepted: [StreamService, Recorded][] = []
    const server = await under.network.listen(under.address(), (stream, service) => {
      accepted.push([service, new Recorded(stream)])
    })
    servers.push(server)
    const peer = new Recorded(under.network.open(server.address, 'peer'))
    const replication = new Recorded(under.network.open(server.address, 'replication'))
    peer.stream.send(call(1))
    replication.stream.send({ cancelled: [2, 3] })
    await under.until(() => accepted.filter(([, each]) => each.messages.length > 0).length === 2)
    const at = new Map(accepted)
    at.get('peer')!.stream.send(call(4))
    at.get('replication')!.stream.send({ refused: [{ id: 5, errorCode: 6 }] })
    await under.until(() => peer.messages.length + replication.messages.length === 2)
    expect(idsOf(at.get('peer')!.messages)).toEqual([1])
    expect(at.get('replication')!.messages).toMatchObject([{ cancelled: [2, 3] }])
    expect(idsOf(peer.messages)).toEqual([4])
    expect(replication.messages).toMatchObject([{ refused: [{ id: 5, errorCode: 6 }] }])
    replication.stream.reset()
    await under.until(() => at.get('replication')!.closes.length > 0)
    expect([...peer.closes, ...at.get('peer')!.closes]).toEqual([])
    peer.stream.reset()
  })

  it('refuses where nobody listens', async () => {
    const under = create()
    const opener = new Recorded(under.network.open(under.nobody(), 'peer'))
    opener.stream.send(call(1))
    await under.until(() => opener.closes.length > 0)
    expect(opener.closes).toEqual(['refused'])
  })

  it('resets streams when the server closes, and refuses new ones', async () => {
    const { network, server, opener, acceptor, until } = await pair()
    await server.close()
    await until(() => opener.closes.length > 0 && acceptor.closes.length > 0)
    expect([opener.closes, acceptor.closes]).toEqual([['lost'], ['lost']])
    const late = new Recorded(network.open(server.address, 'peer'))
    await until(() => late.closes.length > 0)
    expect(late.closes).toEqual(['refused'])
  })

  it('may be reset before it is there', async () => {
    const under = create()
    const { server } = await serve(under)
    const opener = new Recorded(under.network.open(server.address, 'peer'))
    opener.stream.reset()
    await under.until(() => opener.closes.length > 0)
    expect(opener.closes).toEqual(['lost'])
  })

  it('keeps many streams apart', async () => {
    const under = create()
    const { server, accepted } = await serve(under, (from, frame) => from.stream.send(frame))
    const openers = upTo(30).map(() => new Recorded(under.network.open(server.address, 'peer')))
    openers.forEach(({ stream }, at) => {
      for (const id of upTo(20)) stream.send(call(at * 100 + id))
    })
    await under.until(() => openers.every(({ messages }) => messages.length === 20))
    openers.forEach(({ messages }, at) => {
      expect(idsOf(messages)).toEqual(upTo(20).map((id) => at * 100 + id))
    })
    openers[3]!.stream.reset()
    await under.until(() => accepted.filter(({ closes }) => closes.length > 0).length === 1)
    expect(openers.filter(({ closes }) => closes.length > 0)).toEqual([openers[3]])
    openers.forEach(({ stream }) => {
      stream.reset()
    })
  })
}
