import { describe, expect, it } from 'vitest'
import type { PartitionImage } from './image.ts'
import {
  type ChangeContext,
  changedPartition,
  type PartitionChange,
  type ReplicaActivity,
} from './partition-change.ts'
import { idOf } from './testing/cluster.ts'

const healthy: PartitionImage = {
  topicId: idOf(1),
  partition: 0,
  replicas: [1, 2, 3],
  directories: [idOf(11), idOf(12), idOf(13)],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  elr: [],
  lastKnownElr: [],
  minIsr: 2,
  isFlushed: true,
  isRecovering: false,
  addingReplicas: [],
  removingReplicas: [],
  removedReplicas: [],
}

/** Everybody not named is active. */
function context(others: Record<number, ReplicaActivity> = {}, minIsrSetting = 2): ChangeContext {
  return { activityOf: (_, nodeId) => others[nodeId] ?? 'active', minIsrSetting }
}

const changed = (
  before: Partial<PartitionImage>,
  change: PartitionChange,
  inContext: ChangeContext = context(),
) => changedPartition({ ...healthy, ...before }, change, inContext)

const out = (...nodeIds: number[]) =>
  context(Object.fromEntries(nodeIds.map((id) => [id, 'inactive'])))

describe('eligible leader replicas (KIP-966)', () => {
  it('are none while the ISR is large enough: whoever is outside falls behind', () => {
    expect(changed({}, { targetIsr: [1, 2] })).toMatchObject({ isr: [1, 2], elr: [] })
    const below = { isr: [1], elr: [2], lastKnownElr: [3] }
    expect(changed(below, { targetIsr: [1, 3] })).toMatchObject({ elr: [], lastKnownElr: [] })
  })

  it('are those that leave an ISR which nothing can be committed with any more', () => {
    const one = changed({ isr: [1, 2] }, { targetIsr: [1] })
    expect(one).toMatchObject({ isr: [1], elr: [2], leader: 1 })
    expect(changed(one, { targetIsr: [] }, out(1, 2))).toMatchObject({
      isr: [],
      elr: [2, 1],
      leader: -1,
    })
  })

  it('lead when the ISR is empty, in the order of the replicas, and only then', () => {
    const empty = { isr: [], elr: [3, 2], leader: -1 }
    expect(changed(empty, {}, out(1))).toMatchObject({ isr: [2], elr: [3], leader: 2 })
    expect(changed(empty, {}, out(1, 2))).toMatchObject({ isr: [3], elr: [2], leader: 3 })
    const notEmpty = { isr: [1], elr: [2] }
    expect(changed(notEmpty, {}, out(1))).toMatchObject({ isr: [1], elr: [2], leader: -1 })
  })

  it('are known as the last ones after their machine lost the end of the log', () => {
    const empty = { isr: [], elr: [2, 3], leader: -1 }
    const lossy = changed(empty, { unclean: { nodeId: 2, lost: 'end' } }, out(1, 2, 3))
    expect(lossy).toMatchObject({ elr: [3], lastKnownElr: [2] })
    const gone = changed(lossy, { unclean: { nodeId: 2, lost: 'everything' } }, out(1, 2, 3))
    expect(gone).toMatchObject({ elr: [3], lastKnownElr: [] })
    const stranger = { isr: [], elr: [3], leader: -1 }
    const unknown = changed(stranger, { unclean: { nodeId: 1, lost: 'end' } }, out(1, 2, 3))
    expect(unknown.lastKnownElr).toEqual([])
  })

  it('stay when minIsr is raised, go when the ISR is large enough for a lower one', () => {
    const below = { isr: [1], elr: [2] }
    const raised = changed(below, { isMinIsrChange: true }, context({}, 3))
    expect(raised).toMatchObject({ minIsr: 3, elr: [2], partitionEpoch: 10, leaderEpoch: 4 })
    const lowered = changed(below, { isMinIsrChange: true }, context({}, 1))
    expect(lowered).toMatchObject({ minIsr: 1, elr: [] })
  })

  it('minIsr is at most the number of replicas', () => {
    expect(changed({}, { isMinIsrChange: true }, context({}, 9)).minIsr).toBe(3)
  })
})

describe('the leader', () => {
  it('stays while it is in sync and takes part', () => {
    expect(changed({ leader: 3 }, { targetIsr: [2, 3] })).toMatchObject({
      leader: 3,
      leaderEpoch: 4,
    })
  })

  it('is the first replica in sync that takes part otherwise', () => {
    expect(changed({}, { targetIsr: [3, 2] }, out(1))).toMatchObject({ leader: 2, leaderEpoch: 5 })
    expect(changed({}, { targetIsr: [3, 2] }, out(1, 2))).toMatchObject({ leader: 3 })
  })

  it('gives way to the preferred one only if that is in sync', () => {
    expect(changed({ leader: 2 }, { preferred: 1 })).toMatchObject({ leader: 1, leaderEpoch: 5 })
    const before = { ...healthy, leader: 2, isr: [2, 3] }
    expect(changedPartition(before, { preferred: 1 }, context())).toBe(before)
  })

  it('that is about to stop goes on while nobody else can', () => {
    const stopping = context({ 1: 'stopping', 2: 'inactive', 3: 'inactive' })
    expect(changed({ isr: [1], elr: [2] }, {}, stopping)).toMatchObject({ leader: 1 })
    expect(changed({}, { targetIsr: [1, 3] }, context({ 1: 'stopping' }))).toMatchObject({
      leader: 3,
    })
  })
})

describe('the epochs', () => {
  it('stay when nothing changes, unless a bump is asked for', () => {
    expect(changedPartition(healthy, { targetIsr: [3, 2, 1] }, context())).toBe(healthy)
    expect(changed({}, { bump: true })).toMatchObject({ partitionEpoch: 10, leaderEpoch: 4 })
  })

  it('rise with the loss of the leader too', () => {
    const leaderless = changed({ isr: [1], elr: [] }, { targetIsr: [] }, out(1, 2, 3))
    expect(leaderless).toMatchObject({ leader: -1, leaderEpoch: 5, partitionEpoch: 10 })
  })

  it.each<[string, PartitionChange]>([
    ['ISR', { targetIsr: [1, 2] }],
    ['durability', { isFlushed: false }],
    ['recovery', { isRecovering: true }],
  ])('of the partition alone rises with the %s', (_, change) => {
    expect(changed({}, change)).toMatchObject({ partitionEpoch: 10, leaderEpoch: 4 })
  })
})

describe('a reassignment (KIP-455)', () => {
  const moving = {
    replicas: [4, 5, 1, 2],
    directories: [idOf(14), idOf(15), idOf(11), idOf(12)],
    isr: [1, 2],
    addingReplicas: [4, 5],
    removingReplicas: [1, 2],
  }

  it('ends when all newcomers are in sync: the leaving are out, and hold data until they confirm', () => {
    expect(changed(moving, { targetIsr: [1, 2, 4] })).toMatchObject({
      replicas: [4, 5, 1, 2],
      addingReplicas: [4, 5],
      leader: 1,
      leaderEpoch: 4,
    })
    expect(changed(moving, { targetIsr: [1, 2, 4, 5] })).toMatchObject({
      replicas: [4, 5],
      directories: [idOf(14), idOf(15)],
      isr: [4, 5],
      leader: 4,
      leaderEpoch: 5,
      addingReplicas: [],
      removingReplicas: [],
      removedReplicas: [1, 2],
    })
  })

  it('does not end with too few in sync', () => {
    const shrinking = {
      replicas: [1, 2, 3, 4],
      directories: [11, 12, 13, 14].map(idOf),
      isr: [1, 4],
      leader: 4,
      removingReplicas: [4],
    }
    expect(changed(shrinking, { targetIsr: [1, 4], bump: true }).replicas).toHaveLength(4)
    expect(changed(shrinking, { targetIsr: [1, 2, 4] })).toMatchObject({
      replicas: [1, 2, 3],
      leader: 1,
    })
  })

  it('does not count newcomers for minIsr, or a single replica could not be written to meanwhile', () => {
    const single = { replicas: [1], directories: [idOf(11)], isr: [1], minIsr: 1 }
    const assignment = {
      replicas: [1, 2, 3],
      directories: [11, 12, 13].map(idOf),
      addingReplicas: [2, 3],
      removingReplicas: [],
    }
    const begun = changed(single, { assignment })
    expect(begun).toMatchObject({ minIsr: 1, isr: [1] })
    expect(changed(begun, { targetIsr: [1, 2, 3] })).toMatchObject({ minIsr: 2 })
  })

  it('ends also by an election that makes it complete', () => {
    const waiting = { isr: [], elr: [3], leader: -1, removingReplicas: [1, 2] }
    expect(changed(waiting, {}, out(1, 2))).toMatchObject({
      replicas: [3],
      isr: [3],
      leader: 3,
      minIsr: 1,
    })
  })
})

it('a smaller or larger ISR is no new leadership (KAFKA-15021)', () => {
  expect(changed({}, { targetIsr: [1, 2] })).toMatchObject({ leaderEpoch: 4, partitionEpoch: 10 })
  const grown = changed({ isr: [1, 2] }, { targetIsr: [1, 2, 3] })
  expect(grown).toMatchObject({ leaderEpoch: 4, partitionEpoch: 10 })
})
