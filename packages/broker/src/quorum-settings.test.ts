import { parseProperties } from '@naru/model'
import { describe, expect, it } from 'vitest'
import { resolveConfig } from './config.ts'

const parse = (...lines: string[]) =>
  resolveConfig(parseProperties(lines.join('\n'), 'server.properties'))
const at = (host: string, port: number) => ({ host, port })
const both = (host: string, port: number) => ({
  listen: at(host, port),
  advertised: at(host, port),
})
const three = 'controller.quorum.voters=1@a:9292, 2@b:9293, 3@[::1]:9294'

describe('the quorum of a configuration', () => {
  it('is this node alone where nobody is named, and it opens nothing for others', () => {
    const { quorum, internal, grpc } = parse()
    expect(quorum).toEqual({
      voters: [],
      bootstrapServers: [],
      isAlone: true,
      electionTimeoutMs: 600,
    })
    expect({ internal, grpc }).toEqual({ internal: undefined, grpc: undefined })
  })

  it('has the voters that are named, and meets them at its own address among them', () => {
    const { quorum, internal } = parse('node.id=3', three)
    expect(quorum.voters).toEqual([
      { nodeId: 1, host: 'a', port: 9292 },
      { nodeId: 2, host: 'b', port: 9293 },
      { nodeId: 3, host: '::1', port: 9294 },
    ])
    expect(quorum.isAlone).toBe(false)
    expect(internal).toEqual(both('::1', 9294))
  })

  it('is looked for by a node that is not named', () => {
    const added = parse('node.id=4', three)
    expect(added.quorum.isAlone).toBe(false)
    expect(added.internal).toEqual(both('localhost', 9295))
    const seeded = parse('node.id=5', 'controller.quorum.bootstrap.servers=a:9292,b:9293')
    expect(seeded.quorum).toMatchObject({
      voters: [],
      bootstrapServers: [at('a', 9292), at('b', 9293)],
      isAlone: false,
    })
  })

  it('is of one where a node names itself only', () => {
    expect(parse('controller.quorum.voters=1@here:9292').quorum.isAlone).toBe(true)
    const seeded = parse(
      'controller.quorum.bootstrap.servers=127.0.0.1:9292',
      'naru.internal.listeners=:9292',
    )
    expect(seeded.quorum).toMatchObject({ bootstrapServers: [], isAlone: true })
  })

  it.each([
    ['controller.quorum.voters=1@a', 'Cannot read 1@a in controller.quorum.voters'],
    ['controller.quorum.voters=a:9292', 'Cannot read a:9292 in controller.quorum.voters'],
    ['controller.quorum.voters=1@:9292', 'Cannot read 1@:9292'],
    ['controller.quorum.voters=1@a:0', 'Cannot read 1@a:0'],
    ['controller.quorum.voters=1@a:65536', 'Cannot read 1@a:65536'],
    ['controller.quorum.voters=1@a:1,1@b:1', 'controller.quorum.voters has node 1 twice'],
    ['controller.quorum.voters=1@a:1,2@a:1', 'controller.quorum.voters has a:1 twice'],
    ['controller.quorum.bootstrap.servers=a', 'Cannot read a in controller.quorum.bootstrap'],
    ['naru.peer.addresses=2=a:1', 'Cannot read 2=a:1 in naru.peer.addresses'],
    ['controller.quorum.election.timeout.ms=99', 'at least 100'],
    ['controller.quorum.voter=1@a:1', 'Unknown key controller.quorum.voter'],
  ])('refuses %s', (line, message) => {
    expect(() => parse('', line)).toThrow(message)
    expect(() => parse('', line)).toThrow('(server.properties, line 2)')
  })

  it('says how an entry is written, and the nearest name', () => {
    const hintOf = (line: string) => {
      try {
        return parse(line)
      } catch (error) {
        return (error as { hint: string }).hint
      }
    }
    expect(hintOf('controller.quorum.voters=a:1')).toContain('id@host:port')
    expect(hintOf('naru.grpc.listeners=GRPC://a:1')).toContain('host:port')
    expect(hintOf('controller.quorum.voter=1@a:1')).toContain('Did you mean controller.quorum.v')
  })
})

describe('process.roles', () => {
  it.each([
    ['controller', [], 'every node is a broker too'],
    ['broker', [three], 'node.id 1 is among controller.quorum.voters, but process.roles has no'],
    ['broker,controller', ['node.id=7', three], 'node.id 7 is not among controller.quorum.voters'],
    ['broker', [], 'needs others that keep the metadata'],
    ['voter', [], 'must be one of broker, controller'],
  ])('%s with %j is refused', (roles, lines, message) => {
    expect(() => parse(...lines, `process.roles=${roles}`)).toThrow(message)
  })

  it('is right for voters, for brokers beside them, and for a node alone', () => {
    expect(parse('process.roles=broker,controller', three).quorum.isAlone).toBe(false)
    expect(parse('process.roles=broker', 'node.id=4', three).quorum.isAlone).toBe(false)
    expect(parse('process.roles=broker,controller').quorum.isAlone).toBe(true)
  })
})

describe("files of one combined node of Kafka's", () => {
  const listeners = [
    'process.roles=broker,controller',
    'listeners=PLAINTEXT://:9092,CONTROLLER://:9093',
    'controller.listener.names=CONTROLLER',
  ]

  it('works with static voters', () => {
    const config = parse(...listeners, 'controller.quorum.voters=1@host:9093')
    expect(config.quorum.isAlone).toBe(true)
    expect(config.internal).toEqual({ listen: at('', 9093), advertised: at('host', 9093) })
    expect(config.listeners.map(({ listener }) => listener)).toEqual(['PLAINTEXT'])
  })

  it('works with bootstrap servers, as the example that Kafka ships', () => {
    const config = parse(
      ...listeners,
      'controller.quorum.bootstrap.servers=localhost:9093',
      'advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    )
    expect(config.quorum).toMatchObject({ bootstrapServers: [], isAlone: true })
    expect(config.internal).toEqual({ listen: at('', 9093), advertised: at('localhost', 9093) })
  })

  it('does not open without protection what the file wants protected', () => {
    const map = 'listener.security.protocol.map=CONTROLLER:SSL,PLAINTEXT:PLAINTEXT'
    expect(parse(...listeners, map).internal).toBeUndefined()
    expect(() => parse(...listeners, map, 'controller.quorum.voters=1@host:9093')).toThrow(
      'Cannot offer listener CONTROLLER with SSL',
    )
  })
})

describe('the internal listener', () => {
  it('comes before the one of controllers, and is told by the address among the voters', () => {
    const own = 'naru.internal.listeners=:9292'
    const kafka = 'listeners=PLAINTEXT://:9092,CONTROLLER://:9093'
    expect(parse(own, kafka, three).internal).toEqual({
      listen: at('', 9292),
      advertised: at('a', 9292),
    })
    expect(parse(own).internal).toEqual({
      listen: at('', 9292),
      advertised: at('localhost', 9292),
    })
  })

  it('has the port that the voters expect, unless another one is advertised', () => {
    const other = 'naru.internal.listeners=localhost:9999'
    expect(() => parse(three, other)).toThrow(
      'The voters have this node as 1@a:9292, and its internal listener is localhost:9999',
    )
    const advertised = 'naru.internal.advertised.listeners=public:9292'
    expect(parse(three, other, advertised).internal).toEqual({
      listen: at('localhost', 9999),
      advertised: at('public', 9292),
    })
    expect(() => parse(three, 'naru.internal.advertised.listeners=a:1')).toThrow('1@a:9292')
    const controller = 'listeners=PLAINTEXT://:9092,CONTROLLER://:9093'
    expect(() => parse(three, controller)).toThrow('its internal listener is :9093')
  })

  it.each([
    ['naru.internal.listeners=a:1,b:2', 'takes one address'],
    ['naru.internal.listeners=a', 'Cannot read a in naru.internal.listeners'],
    ['naru.internal.advertised.listeners=a:1', 'a:1 is advertised, but nobody listens there'],
    ['naru.grpc.advertised.listeners=a:1', 'a:1 is advertised, but nobody listens there'],
    ['naru.internal.listeners=localhost:9092', 'Two listeners use the port 9092'],
    ['naru.grpc.listeners=:9092', 'Two listeners use the port 9092'],
  ])('refuses %s', (line, message) => {
    expect(() => parse(line)).toThrow(message)
  })

  it('refuses an advertised address to which nobody can connect', () => {
    for (const address of [':9292', 'a:0', '0.0.0.0:9292']) {
      const advertised = `naru.internal.advertised.listeners=${address}`
      expect(() => parse('naru.internal.listeners=:9292', advertised)).toThrow('Nobody can connect')
    }
  })
})

it('tells where gRPC is to those who ask for the configuration', () => {
  const told = (...lines: string[]) =>
    parse(...lines)
      .describe()
      .find(({ name }) => name === 'naru.grpc.advertised.listeners')?.value
  expect(told()).toBe('')
  expect(told('naru.grpc.listeners=:9192')).toBe('localhost:9192')
  expect(told('naru.grpc.listeners=:9192', 'naru.grpc.advertised.listeners=[::1]:1')).toBe(
    '[::1]:1',
  )
})

it('tells the ports that were bound for those that were left open', () => {
  const lines = [
    'listeners=PLAINTEXT://:0,inside://[::1]:0,OTHER://a:7',
    'advertised.listeners=PLAINTEXT://p:0,OTHER://o:70',
    'naru.grpc.listeners=:0',
  ]
  const listeners = [
    { listener: 'PLAINTEXT', host: '', port: 1 },
    { listener: 'INSIDE', host: '::1', port: 2 },
    { listener: 'OTHER', host: 'a', port: 7 },
  ]
  const grpc = { listen: at('', 3), advertised: at('localhost', 3) }
  const values = new Map(
    parse(...lines)
      .describe({ listeners, grpc })
      .map(({ name, value }) => [name, value]),
  )
  expect(values.get('listeners')).toBe('PLAINTEXT://:1,inside://[::1]:2,OTHER://a:7')
  expect(values.get('advertised.listeners')).toBe('PLAINTEXT://p:1,OTHER://o:70')
  expect(values.get('naru.grpc.listeners')).toBe(':3')
  expect(values.get('naru.grpc.advertised.listeners')).toBe('localhost:3')
  const unset = parse().describe({ listeners: listeners.slice(0, 1), grpc: undefined })
  expect(unset).toEqual(parse().describe())
})

it('knows other addresses of peers', () => {
  const { peerAddresses } = parse('naru.peer.addresses=2@proxy:1,3@proxy:2')
  expect([...peerAddresses]).toEqual([
    [2, at('proxy', 1)],
    [3, at('proxy', 2)],
  ])
})

it('refuses a session that one lost heartbeat would end', () => {
  expect(parse().number('broker.session.timeout.ms')).toBe(2000)
  expect(parse().number('broker.heartbeat.interval.ms')).toBe(200)
  expect(() => parse('broker.session.timeout.ms=300')).toThrow('less than twice')
  expect(() => parse('broker.heartbeat.interval.ms=1001')).toThrow('(server.properties, line 1)')
  parse('broker.session.timeout.ms=9s', 'broker.heartbeat.interval.ms=2s')
})
