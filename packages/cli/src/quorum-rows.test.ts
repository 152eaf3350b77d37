import type { QuorumReplica } from '@naru/client'
import { expect, it } from 'vitest'
import { agoText } from './duration.ts'
import { quorumRows, votersText } from './quorum-rows.ts'

function replica(nodeId: number, logEnd: bigint | undefined, seenMs?: number): QuorumReplica {
  return { nodeId, directoryId: `d${nodeId}`, logEnd, lastContactMs: seenMs, caughtUpMs: seenMs }
}

const quorum = {
  leader: 3,
  leaderEpoch: 1,
  highWatermark: 10n,
  voters: [replica(2, 7n, 900), replica(3, 10n, 1_000), replica(1, undefined)],
  observers: [replica(5, 12n, 1_001), replica(4, 10n, 1_000)],
  nodes: [],
}

it('quorumRows() has the leader first, lag and ages against what the leader says', () => {
  const rows = quorumRows(quorum, 77_000)
  expect(rows.map(({ id, role, lag, lastContactMs }) => [id, role, lag, lastContactMs])).toEqual([
    [3, 'leader', 0n, 0],
    [1, 'voter', undefined, undefined],
    [2, 'voter', 3n, 100],
    [4, 'observer', 0n, 0],
    [5, 'observer', 0n, 0],
  ])
  expect(votersText(rows)).toBe('2/3 voters caught up')
})

it('quorumRows() goes by its own clock where there is no leader, and knows no lag', () => {
  const [row] = quorumRows({ ...quorum, leader: -1, observers: [] }, 1_100).slice(-1)
  expect(row).toMatchObject({ id: 3, role: 'voter', lag: undefined, lastContactMs: 100 })
})

it.each([
  [undefined, ''],
  [0, '0 ms ago'],
  [999.4, '999 ms ago'],
  [1_000, '1 s ago'],
  [119_999, '120 s ago'],
  [120_000, '2 min ago'],
  [7_200_000, '2 h ago'],
  [172_800_000, '2 d ago'],
])('agoText(%j) is %j', (ms, text) => {
  expect(agoText(ms)).toBe(text)
})
