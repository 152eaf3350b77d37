import { expect, it } from 'vitest'
import { Cluster } from './cluster.ts'
import { NaruError } from './errors.ts'

/** A cluster whose pauses take no time, and whose time is over after a number of attempts. */
function cluster(attempts: number): Cluster {
  let now = 0
  return new Cluster({
    bootstrap: [],
    clientId: 'test',
    requestTimeoutMs: 1_000,
    retryMs: attempts - 0.5,
    random: { uint32: () => 0, bytes: () => Buffer.alloc(0) },
    transport: { listen: never, connect: never },
    clock: {
      now: () => now,
      monotonic: () => now,
      setTimer: (_, callback) => {
        now++
        callback()
        return { cancel() {} }
      },
      afterTurn: (callback) => callback(),
    },
  })
}

function never(): never {
  throw new Error('No connection in this test')
}

function failing(...outcomes: NaruError['outcome'][]): (tries: number) => Promise<never> {
  return (tries) => {
    const outcome = outcomes[Math.min(tries, outcomes.length - 1)] as NaruError['outcome']
    return Promise.reject(new NaruError('NARU_UNREACHABLE', `attempt ${tries}`, { outcome }))
  }
}

it.each([
  [['not-applied'], 'not-applied'],
  [['unknown'], 'unknown'],
  [['unknown', 'not-applied'], 'unknown'],
  [['not-applied', 'unknown', 'not-applied'], 'unknown'],
] as const)('attempts that end %j make the call %s', async (outcomes, expected) => {
  const error = await cluster(4)
    .retry(failing(...outcomes))
    .catch((caught: unknown) => caught)
  expect(error).toMatchObject({ message: 'attempt 4', outcome: expected })
})

it('does not try again what cannot pass', async () => {
  const refused = new NaruError('NARU_UNSUPPORTED', 'not offered')
  let tries = 0
  const attempt = () => {
    tries++
    return Promise.reject(refused)
  }
  await expect(cluster(4).retry(attempt)).rejects.toBe(refused)
  expect(tries).toBe(1)
})
