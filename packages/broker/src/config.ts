/** The configuration of one broker: from settings with their places to typed values, or to an error that says what is wrong where. */

import type { Address } from '@naru/base'
import {
  ConfigError,
  type ConfigKey,
  canonicalValue,
  invalidValue,
  listOf,
  nearestName,
  type Setting,
  topicConfigKeys,
} from '@naru/model'
import type { DescribedConfig } from '@naru/services'
import { acceptedKeys } from './accepted-keys.ts'
import { type ListenAddress, type Placed, parseNodeAddresses } from './addresses.ts'
import { type BoundAddresses, boundValue } from './bound-addresses.ts'
import { brokerConfigKeys, refusedKeys } from './config-keys.ts'
import { type Endpoint, resolveControllerListener, resolveListeners } from './endpoints.ts'
import {
  checkSession,
  type QuorumConfig,
  refuseSharedPorts,
  refuseWithoutBroker,
  resolveListenAddress,
  resolveQuorum,
} from './quorum-settings.ts'

export interface BrokerConfig {
  readonly nodeId: number
  readonly rack: string | null
  readonly listeners: readonly Endpoint[]
  readonly advertised: readonly Endpoint[]
  readonly quorum: QuorumConfig
  /** Where the brokers of the cluster meet this one; undefined for a broker that nobody else belongs to. */
  readonly internal: ListenAddress | undefined
  readonly grpc: ListenAddress | undefined
  /** Where this broker reaches others, by node id, whatever they advertise. */
  readonly peerAddresses: ReadonlyMap<number, Address>
  readonly logDirs: readonly string[]
  readonly metadataDir: string
  /** Keys that Kafka knows and that do nothing here. */
  readonly withoutEffect: readonly string[]
  /** Defaults of all topics, by topic key, where the configuration sets them. */
  readonly topicDefaults: ReadonlyMap<string, string>
  text(name: string): string
  number(name: string): number
  flag(name: string): boolean
  /** Whether somebody has set the key, be it to its default. */
  isSet(name: string): boolean
  /** With the ports that were bound, where they are known. */
  describe(bound?: BoundAddresses): readonly (DescribedConfig & { readonly isSensitive: boolean })[]
}

const allKeys = [...brokerConfigKeys, ...acceptedKeys].sort((a, b) => (a.name < b.name ? -1 : 1))
const byName = new Map(allKeys.map((key) => [key.name, key]))
/** The older name of node.id, under which tools still look for it. */
const brokerId: ConfigKey = {
  name: 'broker.id',
  type: 'int',
  default: '-1',
  effect: 'works',
  documentation: 'As node.id.',
}
const aliases = new Map([[brokerId.name, 'node.id']])
const sources = { static: 4, default: 5 }

export function isBrokerKey(name: string): boolean {
  return byName.has(name) || aliases.has(name) || refusal(name) !== undefined
}

/** `settings`: the weakest source first; a later one wins. Throws ConfigError. */
export function resolveConfig(settings: readonly Setting[]): BrokerConfig {
  const values = new Map<string, Setting>()
  for (const setting of settings) {
    const name = aliases.get(setting.name) ?? setting.name
    values.set(name, checked({ ...setting, name }))
  }
  const text = (name: string) => values.get(name)?.value ?? byName.get(name)?.default ?? ''
  const logDirs = listOf(text('log.dirs'))
  if (logDirs.length === 0) logDirs.push(text('log.dir'))
  const placed = (name: string) => ({
    name,
    text: text(name),
    where: values.get(name)?.where ?? 'default',
  })
  const network = resolveNetwork(Number(text('node.id')), placed)
  return {
    nodeId: Number(text('node.id')),
    rack: text('broker.rack') || null,
    ...network,
    logDirs: [...new Set(logDirs)],
    metadataDir: text('metadata.log.dir') || (logDirs[0] as string),
    withoutEffect: [...values.keys()].filter((name) => byName.get(name)?.effect === 'accepted'),
    topicDefaults: topicDefaultsOf(values),
    text,
    number: (name) => Number(text(name)),
    flag: (name) => text(name) === 'true',
    isSet: (name) => values.has(name),
    describe: (bound = network) => [
      ...allKeys.map((key) =>
        describe(key, boundValue(key.name, values.get(key.name)?.value, bound)),
      ),
      describe(brokerId, text('node.id')),
    ],
  }
}

/** Everything that says where somebody listens, or where somebody is. */
function resolveNetwork(nodeId: number, placed: (name: string) => Placed) {
  refuseWithoutBroker(placed('process.roles'))
  const listenerSettings = {
    listeners: placed('listeners'),
    advertised: placed('advertised.listeners'),
    protocols: placed('listener.security.protocol.map'),
    controllers: listOf(placed('controller.listener.names').text || 'CONTROLLER'),
  }
  const { listeners, advertised } = resolveListeners(listenerSettings)
  const controllerListener = () => resolveControllerListener(listenerSettings)
  const { quorum, internal } = resolveQuorum({ nodeId, placed, controllerListener })
  const grpc = resolveListenAddress(
    placed('naru.grpc.listeners'),
    placed('naru.grpc.advertised.listeners'),
  )
  refuseSharedPorts(listeners, [
    [placed('naru.internal.listeners'), internal],
    [placed('naru.grpc.listeners'), grpc],
  ])
  checkSession(placed('broker.session.timeout.ms'), placed('broker.heartbeat.interval.ms'))
  const peers = parseNodeAddresses(placed('naru.peer.addresses'))
  const peerAddresses = new Map(peers.map(({ nodeId: id, host, port }) => [id, { host, port }]))
  return { listeners, advertised, quorum, internal, grpc, peerAddresses }
}

function refusal(name: string): string | undefined {
  return refusedKeys.find(({ prefix }) => name.startsWith(prefix))?.reason
}

function checked(setting: Setting): Setting {
  const { name, where } = setting
  const reason = refusal(name)
  if (reason !== undefined) {
    throw new ConfigError('NARU-CFG-002', { message: `Cannot honour ${name}: ${reason}`, where })
  }
  const key = byName.get(name)
  if (key === undefined) {
    const nearest = nearestName(name, byName.keys())
    const hint = nearest === undefined ? {} : { hint: `Did you mean ${nearest}?` }
    throw new ConfigError('NARU-CFG-001', { message: `Unknown key ${name}`, where, ...hint })
  }
  const value = canonicalValue(key, withoutUnit(key, setting.value))
  const problem = invalidValue(key, value)
  if (problem === undefined) return { ...setting, value }
  const message = `Invalid value ${setting.value} for ${name}: it ${problem}`
  throw new ConfigError('NARU-CFG-003', { message, where })
}

const durations: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const sizes: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** `7d` for a key in milliseconds and `1GiB` for one in bytes become plain numbers; anything else stays. */
function withoutUnit(key: ConfigKey, value: string): string {
  const match = /^(\d+)([a-zA-Z]+)$/.exec(value)
  if (match === null) return value
  const units = key.name.endsWith('.ms') ? durations : key.name.endsWith('bytes') ? sizes : {}
  const factor = units[match[2] as string]
  return factor === undefined ? value : String(Number(match[1]) * factor)
}

/** What the broker's settings mean for all topics: the synonym of a topic's key, and Kafka's hours and minutes. */
function topicDefaultsOf(values: ReadonlyMap<string, Setting>): Map<string, string> {
  const defaults = new Map<string, string>()
  const set = (name: string) => values.get(name)?.value || undefined
  for (const { name, synonym } of topicConfigKeys) {
    const value = set(synonym)
    if (value !== undefined) defaults.set(name, value)
  }
  const scaled = (value: string | undefined, factor: number) =>
    value === undefined ? undefined : String(Number(value) < 0 ? -1 : Number(value) * factor)
  const retentionMs =
    set('log.retention.ms') ??
    scaled(set('log.retention.minutes'), 60_000) ??
    scaled(set('log.retention.hours'), 3_600_000)
  if (retentionMs !== undefined) defaults.set('retention.ms', retentionMs)
  const segmentMs = set('log.roll.ms') ?? scaled(set('log.roll.hours'), 3_600_000)
  if (segmentMs !== undefined) defaults.set('segment.ms', segmentMs)
  return defaults
}

function describe(
  key: ConfigKey,
  own: string | undefined,
): DescribedConfig & { readonly isSensitive: boolean } {
  const { name, type, documentation } = key
  const isUnset = key.default === '' && key.type !== 'string' && key.type !== 'list'
  const standard = { name, value: key.default, source: sources.default }
  const synonyms = isUnset ? [] : [standard]
  if (own !== undefined) synonyms.unshift({ name, value: own, source: sources.static })
  const { value, source } = synonyms[0] ?? standard
  return { name, value, source, type, documentation, synonyms, isSensitive: false }
}
