/** Settings of brokers that change while they run: they are part of the metadata, for one broker or for all, and go before what a file says. */
import { type ConfigKey, canonicalValue, invalidValue } from './config-key.ts'

/** As a rate: there is none. */
const unlimited = '9223372036854775807'

export const brokerSettingKeys: readonly ConfigKey[] = [
  {
    name: 'follower.replication.throttled.rate',
    type: 'long',
    default: unlimited,
    min: 0,
    effect: 'works',
    documentation:
      'Bytes a second that replicas on this broker take in while they catch up, where their topic names them in `follower.replication.throttled.replicas`.',
  },
  {
    name: 'leader.replication.throttled.rate',
    type: 'long',
    default: unlimited,
    min: 0,
    effect: 'works',
    documentation:
      'Bytes a second that this broker sends to replicas that catch up, from leaders that their topic names in `leader.replication.throttled.replicas`.',
  },
  {
    name: 'unclean.leader.election.enable',
    type: 'boolean',
    default: 'false',
    effect: 'works',
    documentation:
      'What topics that do not set it themselves have. Of the settings for one broker that of the controller counts.',
  },
]

const byName = new Map(brokerSettingKeys.map((key) => [key.name, key]))

export function brokerSettingKey(name: string): ConfigKey | undefined {
  return byName.get(name)
}

/** The value as it is kept, or why it cannot be, in words for a person. */
export function checkedBrokerSetting(
  key: ConfigKey,
  given: string,
): { value: string; problem?: undefined } | { problem: string } {
  const value = canonicalValue(key, given)
  const problem = invalidValue(key, value)
  return problem === undefined
    ? { value }
    : { problem: `Invalid value ${given} for ${key.name}: it ${problem}` }
}

/** Bytes a second; infinite where nothing limits them. */
export function rateOf(value: string): number {
  return value === unlimited ? Number.POSITIVE_INFINITY : Number(value)
}
