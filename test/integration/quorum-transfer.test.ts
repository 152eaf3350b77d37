// `naru quorum transfer`: over gRPC, which is found by way of the Kafka port of any broker.
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { lastingPorts } from '../support/lasting-ports.ts'
import { naru } from '../support/naru.ts'
import { prepareCluster, startCluster } from '../support/reported-cluster.ts'

const listeners = 'naru.grpc.listeners'

function transfer(at: ClusterBroker, ...args: readonly string[]) {
  return naru(['quorum', 'transfer', ...args, '-b', at.bootstrap])
}

it('has another voter lead, whichever broker is asked, as long as one has gRPC', async () => {
  await using cluster = await prepareCluster()
  const [plain, deaf, ready] = cluster.brokers as [ClusterBroker, ClusterBroker, ClusterBroker]
  const [bound, open] = (await lastingPorts(2)) as [number, number]
  const [nobody] = (await lastingPorts(1)) as [number]
  deaf.settings.set(listeners, `127.0.0.1:${bound}`)
  deaf.settings.set('naru.grpc.advertised.listeners', `127.0.0.1:${nobody}`)
  ready.settings.set(listeners, `127.0.0.1:${open}`)
  await cluster.startAll()
  const before = await cluster.controller()
  const [next] = cluster.others(before) as [ClusterBroker]

  const dry = await transfer(plain, String(next.id), '--dry-run', '--format', 'json')
  expect(dry).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(dry.stdout)).toEqual({
    apiVersion: 'naru/v1',
    kind: 'LeaderTransfer',
    applied: false,
    items: [{ id: next.id, before: before.id, term: expect.any(Number) }],
    errors: [],
  })
  const unconfirmed = await transfer(plain, String(next.id))
  expect(unconfirmed.code).toBe(5)
  expect(unconfirmed.stderr).toContain('Add --yes')
  expect((await cluster.controller()).id).toBe(before.id)

  const done = await transfer(plain, String(next.id), '--yes')
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toMatch(
    new RegExp(`^✓ voter ${next.id} leads\n  term \\d+, before it voter ${before.id}\n$`),
  )
  expect((await cluster.controller()).id).toBe(next.id)

  const same = await transfer(plain, String(next.id), '--yes', '--format', 'json')
  expect(same.code).toBe(1)
  expect(JSON.parse(same.stdout).error).toMatchObject({
    code: 'KAFKA-84',
    reason: 'ELECTION_NOT_NEEDED',
    message: `Cannot make voter ${next.id} the leader: it is the leader (ELECTION_NOT_NEEDED, 84)`,
  })
  const stranger = await transfer(plain, '9', '--yes')
  expect(stranger.code).toBe(1)
  expect(stranger.stderr).toContain('it is none (VOTER_NOT_FOUND, 127)')
  expect(stranger.stderr).toContain('hint: Voters are 1, 2, 3')

  // What is left has gRPC where nobody listens.
  await ready.kill()
  const led = await cluster.controller()
  const other = [plain, deaf].find((each) => each !== led) as ClusterBroker
  const unreached = await transfer(plain, String(other.id), '--yes')
  expect(unreached.code).toBe(3)
  expect(unreached.stderr).toContain(`gRPC at 127.0.0.1:${nobody} cannot be reached`)
  expect(unreached.stderr).toContain(`where: broker 127.0.0.1:${nobody}, by way of`)
}, 120_000)

it('says that no broker has gRPC, and that nobody leads', async () => {
  await using cluster = await startCluster()
  const before = await cluster.controller()
  const [next, last] = cluster.others(before) as [ClusterBroker, ClusterBroker]
  const without = await transfer(next, String(next.id), '--yes')
  expect(without.code).toBe(1)
  expect(without.stderr).toContain('no broker that answers offers gRPC')
  expect(without.stderr).toContain('hint: Set naru.grpc.listeners of a broker')
  expect(without.stderr).toContain('code: NARU-API-004')
  await before.kill()
  await last.kill()
  const leaderless = await transfer(next, String(next.id), '--yes')
  expect(leaderless.code).toBe(4)
  expect(leaderless.stderr).toContain('No controller answered')
}, 120_000)
