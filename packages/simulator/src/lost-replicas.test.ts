import { silentLogger } from '@naru/base'
import { type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { LostReplicas, type PartitionHost } from '@naru/services'
import { beforeEach, expect, it } from 'vitest'
import { SimulatedClock } from './simulated-clock.ts'

type Options = ConstructorParameters<typeof LostReplicas>[0]

class World {
  readonly clock = new SimulatedClock()
  /** What happened, in its order. */
  readonly done: string[] = []
  refusals: Refusal[] = []
  isGivenUp = true
  readonly membership: { brokerEpoch: bigint | undefined } = { brokerEpoch: 5n }
  readonly damaged = this.host(0, { isDamaged: true })
  readonly lost = new LostReplicas({
    nodeId: 1,
    clock: this.clock,
    logger: silentLogger,
    metadata: {
      membership: this.membership,
      submit: async ({ isStarting, brokerEpoch, replicas }: Parameters<Submit>[0]) => {
        const told = replicas.map(({ partition, lost }) => `${partition} ${lost}`).join()
        this.done.push(`${isStarting ? 'start' : 'run'} ${brokerEpoch}: ${told}`)
        const { isGivenUp } = this
        return (
          this.refusals.shift() ?? { replicas: replicas.map((each) => ({ ...each, isGivenUp })) }
        )
      },
    } as unknown as Options['metadata'],
    partitions: {
      all: () => [this.damaged, this.host(1)],
      absent: () => [{ topicId: 't', partition: 2, lost: 'everything' }],
      makeAbsent: async () => void this.done.push('made'),
      renew: async ({ partition }: PartitionHost) => void this.done.push(`renewed ${partition}`),
    } as unknown as Options['partitions'],
  })

  host(partition: number, { isDamaged = false } = {}): PartitionHost {
    const note = (what: string) => () => void this.done.push(`${what} ${partition}`)
    const directory = { offline: undefined, checkpoint: async () => note('checkpoint')() }
    const log = { isDamaged, name: `orders-${partition}`, corruption: undefined }
    const roles = { withdraw: note('withdrawn'), keep: note('kept') }
    return { topicId: 't', partition, log, directory, ...roles } as unknown as PartitionHost
  }
}

type Submit = (command: {
  readonly isStarting: boolean
  readonly brokerEpoch: bigint
  readonly replicas: readonly { readonly partition: number; readonly lost: string }[]
}) => Promise<object>

let world: World
beforeEach(() => {
  world = new World()
})

it('what a start found missing is told before an empty log takes its place, and once', async () => {
  await world.lost.report(7n)
  expect(world.done).toEqual(['start 7: 0 end,2 everything', 'made', 'checkpoint 0'])
  expect(world.damaged.log.isDamaged).toBe(false)
})

it('is told again until the controller answers', async () => {
  world.refusals = [refusal(kafkaErrors.REQUEST_TIMED_OUT, 'nobody')]
  await world.clock.drive(world.lost.report(7n))
  expect(world.done.filter((each) => each.startsWith('start'))).toHaveLength(2)
  expect(world.done.at(2)).toBe('made')
})

it('is left to the next registration when this one is over', async () => {
  world.refusals = [refusal(kafkaErrors.STALE_BROKER_EPOCH, 'another')]
  await world.clock.drive(world.lost.report(7n))
  expect(world.done).toEqual(['start 7: 0 end,2 everything'])
  expect(world.damaged.log.isDamaged).toBe(true)
})

it('a replica in use follows no more before it is told, and begins anew when nobody counts on it', async () => {
  world.lost.add(world.host(3))
  await world.clock.settle()
  expect(world.done).toEqual(['withdrawn 3', 'run 5: 3 everything', 'renewed 3'])
})

it('the last complete one is kept', async () => {
  world.isGivenUp = false
  world.lost.add(world.host(3))
  await world.clock.settle()
  expect(world.done.slice(2)).toEqual(['kept 3'])
})

it('is told when there is a registration, and again when it was refused', async () => {
  world.membership.brokerEpoch = undefined
  world.lost.add(world.host(3))
  await world.clock.step()
  expect(world.done).toEqual(['withdrawn 3'])
  world.membership.brokerEpoch = 6n
  world.refusals = [refusal(kafkaErrors.STALE_BROKER_EPOCH, 'another')]
  for (let steps = 0; steps < 10 && world.done.at(-1) !== 'renewed 3'; steps++) {
    await world.clock.step()
  }
  expect(world.done.filter((each) => each.startsWith('run 6'))).toHaveLength(2)
  expect(world.done.at(-1)).toBe('renewed 3')
})
