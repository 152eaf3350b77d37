/** Who decides on the metadata, and where this broker meets the others. */
import type { Address } from '@naru/base'
import { ConfigError, listOf } from '@naru/model'
import {
  addressText,
  invalid,
  isEveryAddress,
  type ListenAddress,
  type NodeAddress,
  type Placed,
  parseAddresses,
  parseListenAddress,
  parseNodeAddresses,
  reachable,
} from './addresses.ts'

export interface QuorumConfig {
  /** Those that found the cluster. Empty where nobody is named. */
  readonly voters: readonly NodeAddress[]
  /** Where the cluster is looked for beside the voters; this node is not among them. */
  readonly bootstrapServers: readonly Address[]
  /** No other node is named: with an empty disk this one is a quorum of one. */
  readonly isAlone: boolean
  readonly electionTimeoutMs: number
}

interface QuorumSettings {
  readonly nodeId: number
  readonly placed: (name: string) => Placed
  /** The listener of `controller.listener.names`; called only where it is needed. */
  readonly controllerListener: () => ListenAddress | undefined
}

/** Port of the internal listener of node 0, where nothing else is said. */
const internalPortBase = 9291

export function resolveQuorum(settings: QuorumSettings): {
  quorum: QuorumConfig
  internal: ListenAddress | undefined
} {
  const { nodeId, placed } = settings
  const voters = parseNodeAddresses(placed('controller.quorum.voters'))
  const servers = parseAddresses(placed('controller.quorum.bootstrap.servers'))
  const own = voters.find((voter) => voter.nodeId === nodeId)
  const isOfSeveral = voters.length > 0 || servers.length > 0
  const internal = resolveInternal(settings, own, isOfSeveral)
  const bootstrapServers = servers.filter((address) => !isOwn(address, internal))
  const isAlone = bootstrapServers.length === 0 && voters.every((voter) => voter === own)
  checkRoles(settings, { voters, isVoter: own !== undefined, isAlone })
  const electionTimeoutMs = Number(placed('controller.quorum.election.timeout.ms').text)
  return { quorum: { voters, bootstrapServers, isAlone, electionTimeoutMs }, internal }
}

/** A node that no client could ever reach: known before its listeners are read. */
export function refuseWithoutBroker(roles: Placed): void {
  const list = listOf(roles.text)
  if (list.length === 0 || list.includes('broker')) return
  throw new ConfigError('NARU-CFG-002', {
    message: `Cannot honour ${roles.name}=${roles.text}: every node is a broker too`,
    where: roles.where,
    hint: 'Write process.roles=broker,controller, and a listener for clients',
  })
}

/** What one key pair says: where it listens, and where others are told to come. */
export function resolveListenAddress(
  listeners: Placed,
  advertisedListeners: Placed,
): ListenAddress | undefined {
  const listen = parseListenAddress(listeners)
  const advertised = parseAdvertised(advertisedListeners)
  if (listen !== undefined) return { listen, advertised: advertised ?? reachable(listen) }
  if (advertised === undefined) return undefined
  throw invalid(
    advertisedListeners,
    `${addressText(advertised)} is advertised, but nobody listens there`,
    `Set ${listeners.name} too`,
  )
}

/** The system would only say that somebody uses the port, not that it is this broker itself. */
export function refuseSharedPorts(
  listeners: readonly Address[],
  others: readonly (readonly [Placed, ListenAddress | undefined])[],
): void {
  const taken = [...listeners]
  for (const [setting, address] of others) {
    if (address === undefined || address.listen.port === 0) continue
    const { host, port } = address.listen
    const isSame = (each: Address) =>
      each.port === port &&
      (each.host === host || isEveryAddress(each.host) || isEveryAddress(host))
    if (taken.some(isSame)) throw invalid(setting, `Two listeners use the port ${port}`)
    taken.push(address.listen)
  }
}

/** A broker must hear the beginning of a session's end: one lost heartbeat is no death. */
export function checkSession(session: Placed, heartbeat: Placed): void {
  const leastMs = 2 * Number(heartbeat.text)
  if (Number(session.text) >= leastMs) return
  const blamed = session.where === 'default' ? heartbeat : session
  throw invalid(
    blamed,
    `${session.name} is ${session.text}, less than twice ${heartbeat.name}, which is ${heartbeat.text}`,
    `Set ${session.name} to ${leastMs} or more`,
  )
}

function resolveInternal(
  { nodeId, placed, controllerListener }: QuorumSettings,
  own: NodeAddress | undefined,
  isOfSeveral: boolean,
): ListenAddress | undefined {
  const listeners = placed('naru.internal.listeners')
  const advertisedListeners = placed('naru.internal.advertised.listeners')
  const set = parseListenAddress(listeners)
  if (set === undefined && !isOfSeveral) {
    return resolveListenAddress(listeners, advertisedListeners)
  }
  const controller = set === undefined ? controllerListener() : undefined
  const address = own && { host: own.host, port: own.port }
  const listen = set ?? controller?.listen ?? address ?? defaultInternal(nodeId, listeners)
  const told = parseAdvertised(advertisedListeners)
  const advertised = told ?? address ?? controller?.advertised ?? reachable(listen)
  const port = (told ?? listen).port
  if (own === undefined || own.port === port) return { listen, advertised }
  const key = told === undefined ? listeners : advertisedListeners
  const found = addressText(told ?? listen)
  throw invalid(
    key.where === 'default' ? placed('controller.quorum.voters') : key,
    `The voters have this node as ${nodeId}@${addressText(own)}, and its internal listener is ${found}`,
    'Use one port for both, or set naru.internal.advertised.listeners to the address that the voters have',
  )
}

function defaultInternal(nodeId: number, listeners: Placed): Address {
  const port = internalPortBase + nodeId
  if (port <= 65_535) return { host: 'localhost', port }
  throw invalid(listeners, `There is no port for the internal listener of node.id ${nodeId}`)
}

function parseAdvertised(setting: Placed): Address | undefined {
  const address = parseListenAddress(setting)
  if (address === undefined || (address.port > 0 && !isEveryAddress(address.host))) return address
  throw invalid(setting, `Nobody can connect to ${addressText(address)} in ${setting.name}`)
}

/** Whether a place where the cluster is looked for is this node itself, as it is in Kafka's own example of one node. */
function isOwn({ host, port }: Address, internal: ListenAddress | undefined): boolean {
  if (internal === undefined) return false
  const { listen, advertised } = internal
  if (port === advertised.port && host === advertised.host) return true
  const isHere = (name: string) => ['localhost', '127.0.0.1', '::1'].includes(name)
  return (
    port === listen.port && isHere(host) && (isHere(listen.host) || isEveryAddress(listen.host))
  )
}

function checkRoles(
  { nodeId, placed }: QuorumSettings,
  found: { voters: readonly NodeAddress[]; isVoter: boolean; isAlone: boolean },
): void {
  const roles = placed('process.roles')
  const list = listOf(roles.text)
  if (list.length === 0) return
  const isController = list.includes('controller')
  if (found.isVoter && !isController) {
    const message = `node.id ${nodeId} is among controller.quorum.voters, but process.roles has no controller`
    throw invalid(roles, message, 'Write process.roles=broker,controller')
  }
  if (!isController && found.isAlone) {
    const message = 'A node with process.roles=broker alone needs others that keep the metadata'
    const hint = 'Name them in controller.quorum.voters or controller.quorum.bootstrap.servers'
    throw invalid(roles, message, hint)
  }
  if (!isController || found.isVoter || found.voters.length === 0) return
  const ids = found.voters.map((voter) => voter.nodeId).join(', ')
  throw invalid(
    roles,
    `process.roles has controller, but node.id ${nodeId} is not among controller.quorum.voters (${ids})`,
    'Correct node.id, or write process.roles=broker for a broker that does not vote',
  )
}
