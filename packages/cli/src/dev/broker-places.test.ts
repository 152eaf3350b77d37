import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseProperties } from '@naru/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planBrokers, writeFiles } from './broker-places.ts'
import { brokerCount, fileOf, findBrokers } from './found-brokers.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'naru-places-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** What each broker would start with: its file, then what is set over it. */
function start(asked: { brokers?: number; port?: number } = {}): Map<string, string>[] {
  const found = findBrokers(directory)
  const count = brokerCount(directory, found, asked.brokers)
  const places = planBrokers(directory, found, { count, port: asked.port })
  writeFiles(places)
  return places.map(({ file, settings }) => {
    const text = `${readFileSync(file, 'utf8')}\n${settings.join('\n')}`
    return new Map(parseProperties(text, file).map(({ name, value }) => [name, value]))
  })
}

const values = (brokers: Map<string, string>[], key: string) => brokers.map((each) => each.get(key))

function write(nodeId: number, ...lines: string[]): void {
  const file = fileOf(directory, nodeId)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, lines.join('\n'))
}

const voters = 'controller.quorum.voters'
const servers = 'controller.quorum.bootstrap.servers'
const internal = 'naru.internal.listeners'
const three = '1@localhost:9292,2@localhost:9293,3@localhost:9294'

describe('the first start', () => {
  it('writes a file for each broker, with ports by rule and the first three as voters', () => {
    const brokers = start({ brokers: 4 })
    expect(values(brokers, 'node.id')).toEqual(['1', '2', '3', '4'])
    expect(values(brokers, 'listeners')[3]).toBe('PLAINTEXT://localhost:9095')
    expect(values(brokers, 'naru.grpc.listeners')[3]).toBe('localhost:9195')
    expect(values(brokers, internal)[3]).toBe('localhost:9295')
    expect(values(brokers, voters)).toEqual([three, three, three, three])
    expect(new Set(values(brokers, 'log.dirs')).size).toBe(4)
    expect(brokers[0]?.has(servers)).toBe(false)
  })

  it('of a single broker has its listeners in the file, and opens none for others', () => {
    const [broker] = start({ brokers: 1 })
    expect(readFileSync(fileOf(directory, 1), 'utf8').split('\n')).toEqual([
      'node.id=1',
      'listeners=PLAINTEXT://localhost:9092',
      'naru.grpc.listeners=localhost:9192',
      'naru.internal.listeners=localhost:9292',
      `log.dirs=${directory}/broker-1/data`,
      '',
    ])
    expect(broker?.get(internal)).toBe('')
    expect(broker?.has(voters)).toBe(false)
  })

  it('has two voters where there are two brokers', () => {
    expect(values(start({ brokers: 2, port: 19092 }), voters)).toEqual(
      Array(2).fill('1@localhost:19292,2@localhost:19293'),
    )
  })
})

describe('a later start', () => {
  it('runs as many brokers as before, with the ports that they had', () => {
    const first = start({ brokers: 3, port: 19092 })
    expect(start()).toHaveLength(3)
    for (const key of ['listeners', internal, voters]) {
      expect(values(start(), key)).toEqual(values(first, key))
    }
  })

  it('keeps what a person has written', () => {
    start({ brokers: 2 })
    write(2, 'node.id=2', 'listeners=PLAINTEXT://localhost:7777', 'num.partitions=9')
    const [, second] = start()
    expect(second?.get('listeners')).toBe('PLAINTEXT://localhost:7777')
    expect(second?.get('num.partitions')).toBe('9')
  })

  it('moves all ports, and the addresses of voters with them', () => {
    start({ brokers: 3 })
    const moved = start({ port: 19092 })
    expect(values(moved, 'listeners')[2]).toBe('PLAINTEXT://localhost:19094')
    expect(values(moved, internal)[2]).toBe('localhost:19294')
    expect(values(moved, voters)[2]).toBe('1@localhost:19292,2@localhost:19293,3@localhost:19294')
    expect(values(start(), voters)[2]).toBe(three)
  })

  it('refuses fewer brokers', () => {
    start({ brokers: 3 })
    expect(() => start({ brokers: 2 })).toThrow(`Cannot run 2 brokers: ${directory} has 3`)
  })

  it('goes on with the files of a first start that was cut short', () => {
    start({ brokers: 3 })
    for (const nodeId of [2, 3]) rmSync(dirname(fileOf(directory, nodeId)), { recursive: true })
    expect(values(start(), voters)).toEqual([three, three, three])
  })
})

describe('more brokers', () => {
  it('are no voters', () => {
    start({ brokers: 3 })
    const brokers = start({ brokers: 5 })
    expect(values(brokers, voters)).toEqual(Array(5).fill(three))
    expect(values(brokers, internal)[4]).toBe('localhost:9296')
  })

  it('join the single broker that was there, instead of founding a second cluster', () => {
    start({ brokers: 1, port: 19092 })
    const brokers = start({ brokers: 3 })
    expect(values(brokers, voters)).toEqual([undefined, undefined, undefined])
    expect(values(brokers, servers)).toEqual([undefined, 'localhost:19292', 'localhost:19292'])
    expect(values(brokers, internal)[0]).toBe('localhost:19292')
    const moved = start({ port: 29092 })
    expect(values(moved, servers)).toEqual([undefined, 'localhost:29292', 'localhost:29292'])
    expect(values(moved, internal)[0]).toBe('localhost:29292')
  })

  it('reach a broker whose file is from a time without them', () => {
    write(1, 'node.id=1', 'listeners=PLAINTEXT://localhost:9092', `log.dirs=${directory}/data`)
    expect(values(start(), internal)).toEqual([''])
    const brokers = start({ brokers: 2 })
    expect(values(brokers, internal)).toEqual(['localhost:9292', 'localhost:9293'])
    expect(values(brokers, servers)).toEqual([undefined, 'localhost:9292'])
    expect(readFileSync(fileOf(directory, 1), 'utf8')).not.toContain('naru.internal')
  })
})

describe('what cannot be', () => {
  it('is refused before anything is written', () => {
    write(1, 'listeners=PLAINTEXT://localhost:65500')
    expect(() => start({ brokers: 2 })).toThrow('no ports for 2 brokers from 65500 on')
    expect(findBrokers(directory)).toHaveLength(1)
    expect(start()[0]?.get('listeners')).toBe('PLAINTEXT://localhost:65500')
    write(1, `${voters}=40000@localhost:1`)
    expect(() => start()).toThrow('Cannot run broker 40000')
    write(1, 'nonsense')
    expect(() => start()).toThrow('Cannot read "nonsense"')
  })
})
