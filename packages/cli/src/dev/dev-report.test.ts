import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { howItEnded, lastWords, readyText } from './dev-report.ts'
import type { Ready } from './local-cluster.ts'

function broker(nodeId: number, more: Partial<Ready> = {}): Ready {
  const listeners = [{ listener: 'PLAINTEXT', host: 'localhost', port: 9091 + nodeId }]
  return { event: 'ready', nodeId, pid: nodeId, clusterId: 'c', listeners, ...more }
}

const quorum = (leaderId: number, leaderEpoch: number) => ({
  quorum: { leaderId, leaderEpoch, voters: [1, 2, 3] },
})

const linesOf = (brokers: readonly Ready[]) =>
  stripVTControlCharacters(readyText(brokers, 1_096)).split('\n')

describe('readyText()', () => {
  it('shows one broker, and commands that need no address on the usual port', () => {
    const lines = linesOf([broker(1)])
    expect(lines.slice(0, 5)).toEqual([
      '  ✓ broker 1   kafka localhost:9092        ready in 1.1 s',
      '',
      '  Bootstrap    localhost:9092',
      '',
      '  Try          npx naru topic create orders -p 3',
    ])
  })

  it('shows each broker and the newest view of the quorum', () => {
    const grpc = (port: number) => ({ grpc: { host: 'localhost', port } })
    const lines = linesOf([
      broker(1, { ...grpc(9192), ...quorum(1, 1) }),
      broker(2, { ...grpc(9193), ...quorum(2, 3) }),
      broker(4, quorum(3, 2)),
    ])
    expect(lines.slice(0, 4)).toEqual([
      '  ✓ broker 1   kafka localhost:9092   grpc :9192',
      '  ✓ broker 2   kafka localhost:9093   grpc :9193',
      '  ✓ broker 4   kafka localhost:9095',
      '  ✓ quorum     leader 2 · epoch 3 · 2/3 voters        ready in 1.1 s',
    ])
  })

  it('names the address where the port is another', () => {
    const listeners = [{ listener: 'PLAINTEXT', host: 'localhost', port: 19092 }]
    expect(linesOf([broker(1, { listeners })]).join('\n')).toContain(
      'npx naru topic create orders -p 3 -b localhost:19092',
    )
  })
})

it('tells how a broker ended, and its own failure where it has one', () => {
  const end = { nodeId: 1, code: null, signal: 'SIGKILL', lastLines: ['a', '✗ b', 'c'] } as const
  expect(howItEnded(end)).toBe('by SIGKILL')
  expect(howItEnded({ ...end, code: 1 })).toBe('with code 1')
  expect(lastWords(end)).toBe('✗ b\nc')
  expect(lastWords({ ...end, lastLines: ['a', 'b'] })).toBe('a\nb')
})
