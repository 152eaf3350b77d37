// What a replica that is started anew knows, and learns without an entry that tells it.
import { expect, it } from 'vitest'
import { exchange, heartbeatMs, SoloReplica } from './testing/solo-replica.ts'

function beat(replicas: readonly SoloReplica[], beats: number): void {
  for (let each = 0; each < beats; each++) {
    for (const replica of replicas) {
      replica.nowMs += heartbeatMs
      if (replica.raft.deadlineMs <= replica.nowMs) replica.raft.elapsed(replica.nowMs)
    }
    exchange(replicas)
  }
}

it('a follower that is started anew learns from heartbeats what is committed', () => {
  const leader = new SoloReplica({ self: '1' })
  const follower = new SoloReplica({ self: '2' })
  leader.campaign()
  leader.hear('3', { type: 'voteReply', granted: true })
  exchange([leader, follower])
  leader.propose('x')
  exchange([leader, follower])
  follower.restart()
  expect(follower.raft.log.commitIndex).toBe(0n)
  beat([leader, follower], 2)
  expect(leader.raft.role).toBe('leader')
  expect(follower.raft.log.commitIndex).toBe(2n)
})

it('an observer too', () => {
  const leader = new SoloReplica({ self: '1', voters: ['1'] })
  const observer = new SoloReplica({ self: '9', voters: [], contacts: ['1'] })
  leader.lead()
  observer.timeOut()
  exchange([leader, observer])
  observer.restart()
  beat([leader, observer], 2)
  expect(observer.raft.log.commitIndex).toBe(1n)
})

it('a recovering follower trusts no heartbeat about what it lost', () => {
  const follower = new SoloReplica({ self: '2', term: 1n, log: [1n, 1n], isRecovering: true })
  follower.hear('1', { type: 'heartbeat', commitIndex: 2n, round: 0 })
  expect(follower.run().committed).toEqual([])
  expect(follower.raft.log.commitIndex).toBe(0n)
})

it('a heartbeat from before a loss commits no more than the log has', () => {
  const follower = new SoloReplica({ self: '2', term: 1n, log: [1n, 1n] })
  follower.hear('1', { type: 'heartbeat', commitIndex: 5n, round: 0 })
  expect(follower.run().committed).toHaveLength(2)
})
