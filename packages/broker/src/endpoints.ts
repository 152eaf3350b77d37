import { ConfigError, listOf } from '@naru/model'
import { type ListenAddress, type Placed, reachable } from './addresses.ts'

export interface Endpoint {
  readonly listener: string
  /** Empty for every address. */
  readonly host: string
  readonly port: number
}

export interface ListenerSettings {
  readonly listeners: Placed
  readonly advertised: Placed
  /** `listener.security.protocol.map` */
  readonly protocols: Placed
  /** `controller.listener.names`: brokers come there, clients do not. */
  readonly controllers: readonly string[]
}

/** Where the broker listens, and for each of that what clients are told to connect to. */
export function resolveListeners(settings: ListenerSettings): {
  listeners: Endpoint[]
  advertised: Endpoint[]
} {
  const { where } = settings.listeners
  const isForClients = ({ listener }: Endpoint) => !controllersOf(settings).includes(listener)
  const listeners = parseListeners(settings.listeners).filter(isForClients)
  if (listeners.length === 0) {
    throw new ConfigError('NARU-CFG-003', { message: 'There is no listener for clients', where })
  }
  const protocols = parseProtocols(settings.protocols)
  for (const { listener } of listeners) checkProtocol(listener, protocols, where)
  const told = parseListeners(settings.advertised).filter(isForClients)
  const stranger = told.find(
    ({ listener }) => !listeners.some((each) => each.listener === listener),
  )
  if (stranger !== undefined) {
    const message = `Listener ${stranger.listener} is advertised, but nobody listens there`
    throw new ConfigError('NARU-CFG-003', { message, where: settings.advertised.where })
  }
  const advertised = listeners.map(
    (own) => told.find(({ listener }) => listener === own.listener) ?? own,
  )
  return { listeners, advertised }
}

/** The first listener of `controller.listener.names`, on which Kafka's controllers meet. */
export function resolveControllerListener(settings: ListenerSettings): ListenAddress | undefined {
  const controllers = controllersOf(settings)
  const isForControllers = ({ listener }: Endpoint) => controllers.includes(listener)
  const own = parseListeners(settings.listeners).find(isForControllers)
  if (own === undefined) return undefined
  checkProtocol(own.listener, parseProtocols(settings.protocols), settings.listeners.where)
  const told = parseListeners(settings.advertised).find(({ listener }) => listener === own.listener)
  const { host, port } = own
  return { listen: { host, port }, advertised: reachable(told ?? own) }
}

function controllersOf({ controllers }: ListenerSettings): string[] {
  return controllers.map((name) => name.toUpperCase())
}

/** Parses `NAME://host:port` entries. */
function parseListeners({ text, where }: Placed): Endpoint[] {
  const endpoints = listOf(text).map((entry) => parseEndpoint(entry, where))
  const names = endpoints.map(({ listener }) => listener)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigError('NARU-CFG-003', { message: `Two listeners are named ${twice}`, where })
  }
  return endpoints
}

function parseEndpoint(entry: string, where: string): Endpoint {
  const match = /^([A-Za-z0-9_-]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(entry)
  const port = Number(match?.[4])
  if (match === null || port > 65_535) {
    const message = `Cannot read listener ${entry}`
    const hint = 'A listener is written as PLAINTEXT://host:port'
    throw new ConfigError('NARU-CFG-003', { message, where, hint })
  }
  const listener = (match[1] as string).toUpperCase()
  return { listener, host: match[2] ?? match[3] ?? '', port }
}

const knownProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

function parseProtocols({ text, where }: Placed): ReadonlyMap<string, string> {
  return new Map(
    listOf(text).map((entry) => {
      const [name = '', protocol = ''] = entry.toUpperCase().split(':')
      if (name !== '' && knownProtocols.includes(protocol)) return [name, protocol]
      const message = `Cannot read ${entry}: a listener's name, a colon and one of ${knownProtocols.join(', ')}`
      throw new ConfigError('NARU-CFG-003', { message, where })
    }),
  )
}

/** A listener that is meant to be protected must not be opened unprotected. Names that nobody maps are plaintext. */
function checkProtocol(
  listener: string,
  protocols: ReadonlyMap<string, string>,
  where: string,
): void {
  const isProtocol = knownProtocols.includes(listener)
  const protocol = protocols.get(listener) ?? (isProtocol ? listener : 'PLAINTEXT')
  if (protocol === 'PLAINTEXT') return
  const message = `Cannot offer listener ${listener} with ${protocol}: this version has no TLS and no authentication`
  throw new ConfigError('NARU-CFG-002', { message, where })
}
