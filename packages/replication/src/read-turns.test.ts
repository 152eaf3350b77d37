import { expect, it } from 'vitest'
import type { FollowerFeed } from './follower-feed.ts'
import { ReadTurns } from './read-turns.ts'

interface State {
  mustRead: boolean
  holdsRead: boolean
}

function world(max: number) {
  const called: FollowerFeed[] = []
  return { called, turns: new ReadTurns(max, (feed) => called.push(feed)) }
}

/** Of a follower that is far behind. */
function feed(): FollowerFeed & State {
  return { mustRead: true, holdsRead: false } as State as FollowerFeed & State
}

function begin(turns: ReadTurns, each: FollowerFeed & State): boolean {
  if (!turns.admits(each)) return false
  each.holdsRead = true
  turns.took(each)
  return true
}

function sent(turns: ReadTurns, each: FollowerFeed & State): void {
  each.holdsRead = false
  turns.took(each)
}

it('lets so many read at once, and has the others wait in the order in which they asked', () => {
  const { turns, called } = world(2)
  const [a, b, c, d] = [feed(), feed(), feed(), feed()]
  expect([a, b, c, d].map((each) => begin(turns, each))).toEqual([true, true, false, false])
  expect(begin(turns, a)).toBe(true)
  sent(turns, b)
  expect(called).toEqual([c])
  expect(begin(turns, c)).toBe(true)
  sent(turns, a)
  expect(called).toEqual([c, d])
})

it('does not hold up who is sent from memory', () => {
  const { turns } = world(1)
  begin(turns, feed())
  const near = feed()
  near.mustRead = false
  expect(turns.admits(near)).toBe(true)
})

it('gives the turn of a subscription that is over to the next', () => {
  const { turns, called } = world(1)
  const [a, b, c] = [feed(), feed(), feed()]
  for (const each of [a, b, c]) begin(turns, each)
  turns.drop(b)
  turns.drop(a)
  expect(called).toEqual([c])
})
