/** Operators who throttle replicas that catch up (KIP-73), and change their mind. */
import type { Command, MetadataImage } from '@naru/metadata'
import { configKey, resourceTypes } from '@naru/metadata'
import type { SeededRandom } from '../seeded-random.ts'
import { somePartition } from './replication-faults.ts'
import type { ReplicationWorld } from './replication-world.ts'

const sides = ['leader', 'follower'] as const

/** Names replicas of a topic, or none; or gives a rate to one broker or to all, perhaps one at which nothing passes. */
export function throttling(world: ReplicationWorld, random: SeededRandom): Command | undefined {
  const side = random.pick(sides)
  if (random.chance(0.5)) {
    const broker = random.chance(0.5) ? '' : String(random.pick(world.nodes).id)
    const value = random.pick(['0', '300', '3000', '30000'])
    const changes = [set(`${side}.replication.throttled.rate`, value)]
    return { type: 'alterBrokerConfig', broker, changes, validateOnly: false }
  }
  const state = somePartition(world, random)
  const topic = world.truth.image.topicsById.get(state?.topicId ?? '')
  if (state === undefined || topic === undefined) return undefined
  const pair = `${state.partition}:${random.pick(state.replicas)}`
  const value = random.pick(['*', '*', pair, ''])
  const changes = [set(`${side}.replication.throttled.replicas`, value)]
  return { type: 'alterTopicConfig', topic: topic.name, changes, validateOnly: false }
}

/** What takes back a rate that is still there, if any: topics may go on to name replicas. */
export function releasing({ configs }: MetadataImage, nodeIds: readonly number[]) {
  for (const broker of ['', ...nodeIds.map(String)]) {
    const settings = configs.get(configKey(resourceTypes.broker, broker))
    const changes = sides
      .map((side) => `${side}.replication.throttled.rate`)
      .filter((name) => settings?.has(name) === true)
      .map((name) => ({ name, operation: 'delete', value: null }) as const)
    if (changes.length > 0) {
      return { type: 'alterBrokerConfig', broker, changes, validateOnly: false } as const
    }
  }
  return undefined
}

function set(name: string, value: string) {
  return { name, operation: 'set', value } as const
}
