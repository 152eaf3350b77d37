// A controller that stands still and comes back does not know that it was replaced (replication.md F13): whatever it says then
// changes nothing. NARU_QUORUM_ROUNDS lets it stand still for ten seconds.
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import { auditCreations } from '../support/creation-audit.ts'
import { eventually } from '../support/eventually.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { create, newTopic } from '../support/requests.ts'
import { TopicCreators } from '../support/topic-creators.ts'
import { WireClient } from '../support/wire-client.ts'

const isLong = process.env['NARU_QUORUM_ROUNDS'] !== undefined
const pausedMs = isLong ? 10_000 : 3_000
const version = 7

it('replaces a controller that stands still, and takes no late word of it', async () => {
  await using cluster = await startCluster()
  const old = await cluster.controller()
  const others = cluster.others(old)
  // Whoever has forwarded something to the old one is answered long before it gives up by itself.
  await using creators = new TopicCreators(others, { silenceMs: 20_000 })
  await creators.more(20)
  await using late = new WireClient(old.bootstrap)
  const topics = [newTopic('contested'), newTopic('late')]
  await late.ask(apis.metadata, 12, { ...asksNothing, topics: [] })

  const pausedAtMs = performance.now()
  await old.pause()
  const next = await cluster.controller({ among: others, withinMs: 10_000 })
  const electedMs = performance.now() - pausedAtMs
  const acknowledgedMs = await creators.acknowledgedAfter(pausedAtMs, 10_000)
  // Waits in the socket of the old one, which leads as far as it knows.
  await late.send(apis.createTopics, version, create(topics))
  const made = await next.ask(apis.createTopics, version, create([newTopic('contested')]))
  expect(made?.topics[0]?.errorCode).toBe(0)
  await eventually('the time is over', () => performance.now() > pausedAtMs + pausedMs || undefined)
  await old.resume()
  console.log(
    `controller stopped: another after ${Math.round(electedMs)} ms, next creation after ${Math.round(acknowledgedMs)} ms`,
  )

  const answer = await late.answer(apis.createTopics, version)
  if (typeof answer === 'string') throw new Error(`The old controller is ${answer}`)
  const [contested, own] = answer.topics
  expect(contested?.errorCode).not.toBe(0)
  await eventually('the old one follows', async () => {
    return (await cluster.controllerSeenBy(old)) === next.id || undefined
  })
  await creators.more(20)
  const creations = [...(await creators.stop())]
  const atMs = performance.now()
  const isMade = own?.errorCode === 0
  creations.push(
    acknowledged('contested', made?.topics[0]?.topicId, atMs),
    isMade
      ? acknowledged('late', own.topicId, atMs)
      : { name: 'late', askedMs: atMs, outcome: { kind: 'unknown' } },
  )
  expect(await auditCreations(cluster, creations)).toEqual([])
}, 120_000)

const asksNothing = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

function acknowledged(name: string, topicId: string | undefined, atMs: number) {
  const outcome = { kind: 'acknowledged', topicId: topicId ?? '', atMs } as const
  return { name, askedMs: atMs, outcome }
}
