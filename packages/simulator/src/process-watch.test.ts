// What may be concluded from the end of a stream: a process that is thought dead wrongly costs an election.
import { beforeEach, expect, it } from 'vitest'
import type { Hello } from '../../consensus/src/peers/frame.ts'
import type { LinkEnd } from '../../consensus/src/peers/peer-link.ts'
import { ProcessWatch } from '../../consensus/src/peers/process-watch.ts'
import { SimulatedClock } from './simulated-clock.ts'

const peer: Hello = {
  clusterId: 'c',
  nodeId: 2,
  directoryId: 'd',
  incarnationId: 'i',
  isEmpty: false,
  host: 'n2',
  port: 1,
}

let clock: SimulatedClock
let gone: number
let watch: ProcessWatch
let answers: (Hello | LinkEnd)[]

beforeEach(() => {
  clock = new SimulatedClock()
  gone = 0
  answers = []
  watch = new ProcessWatch({
    clock,
    greet: async () => answers.shift() ?? 'lost',
    onGone: () => {
      gone++
    },
  })
})

async function afterEnd(end: LinkEnd, ...found: (Hello | LinkEnd)[]): Promise<number> {
  answers.push(...found)
  watch.down(peer, end)
  await clock.drive(clock.pause(1_000))
  return gone
}

it('believes a farewell', async () => {
  expect(await afterEnd('goodbye')).toBe(1)
})

it('says nothing of a process whose stream broke, nor of one that does not answer', async () => {
  expect(await afterEnd('lost')).toBe(0)
  expect(await afterEnd('refused', 'lost')).toBe(0)
  expect(await afterEnd('ended', 'refused', 'lost')).toBe(0)
})

it('says nothing of a process that answers', async () => {
  expect(await afterEnd('refused', peer)).toBe(0)
})

it('knows that it is gone when nobody listens there, asked twice', async () => {
  expect(await afterEnd('refused', 'refused', 'refused')).toBe(1)
})

it('knows that it is gone when another process answers there', async () => {
  expect(await afterEnd('refused', { ...peer, incarnationId: 'j' })).toBe(1)
})
