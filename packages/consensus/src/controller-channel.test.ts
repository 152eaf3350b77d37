import { SimulatedClock } from '@naru/simulator'
import { expect, it } from 'vitest'
import { ControllerChannel } from './controller-channel.ts'
import type { CallOutcome } from './peers/frame.ts'

const timeoutMs = 30_000
const payload = Buffer.from('asked')

/** A channel of node 1 to a leader that can be replaced, and who was asked what. */
function channelTo(first: number | undefined) {
  const clock = new SimulatedClock()
  const calls: { at: number; answer: (outcome: CallOutcome) => void }[] = []
  const now = { leader: first }
  const channel = new ControllerChannel({
    clock,
    nodeId: 1,
    leader: () => now.leader,
    here: () => Promise.resolve({ index: 7n, payload: Buffer.from('here') }),
    there: (at) => new Promise((resolve) => calls.push({ at, answer: resolve })),
  })
  const lead = (leader: number | undefined) => {
    now.leader = leader
    channel.leaderChanged()
  }
  const settle = async () => {
    for (let moreMs = 1_000; moreMs > 0; moreMs -= 50) {
      clock.setTimer(50, () => {})
      await clock.step()
    }
  }
  return { channel, calls, lead, settle, clock, now }
}

const asked = (isRepeatable: boolean) =>
  ({ operation: 'submit', payload, timeoutMs, isRepeatable }) as const

it('asks the next leader what can be repeated when the one that was asked is silent', async () => {
  const { channel, calls, lead, settle } = channelTo(2)
  const answer = channel.ask(asked(true))
  lead(undefined)
  lead(3)
  await settle()
  expect(calls.map(({ at }) => at)).toEqual([2, 3])
  calls[1]?.answer({ index: 9n, payload })
  expect(await answer).toMatchObject({ index: 9n })
})

it('says that nobody knows what cannot be repeated, and does not wait for its deadline', async () => {
  const { channel, calls, lead, settle, clock } = channelTo(2)
  const answer = channel.ask(asked(false))
  const failed = expect(answer).rejects.toMatchObject({ code: 'LEADERSHIP_LOST' })
  lead(3)
  await settle()
  await failed
  expect(clock.monotonic()).toBeLessThan(timeoutMs)
  expect(calls.map(({ at }) => at)).toEqual([2])
})

it('finds out that another one leads without being told', async () => {
  const { channel, calls, lead, settle, now } = channelTo(2)
  const answer = channel.ask(asked(true))
  lead(undefined)
  now.leader = 3
  await settle()
  expect(calls.map(({ at }) => at)).toEqual([2, 3])
  calls[1]?.answer({ index: 9n, payload })
  expect(await answer).toMatchObject({ index: 9n })
})

it('waits while nobody else leads, and takes an answer that was on its way', async () => {
  const { channel, calls, lead, settle } = channelTo(2)
  const silent = channel.ask(asked(false))
  lead(undefined)
  await settle()
  lead(2)
  await settle()
  const late = channel.ask(asked(false))
  lead(3)
  for (const { answer } of calls) answer({ index: 5n, payload })
  expect(await silent).toMatchObject({ index: 5n })
  expect(await late).toMatchObject({ index: 5n })
})
