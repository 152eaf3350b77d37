/** Addresses without a listener's name, as the keys of the quorum, the internal listener and gRPC have them. */
import type { Address } from '@naru/base'
import { ConfigError, listOf } from '@naru/model'

/** A setting, and where it was made. */
export interface Placed {
  readonly name: string
  readonly text: string
  readonly where: string
}

/** Where the node of that id is reached. */
export interface NodeAddress extends Address {
  readonly nodeId: number
}

/** Where a listener is opened (an empty host means every address), and where others are told to come. */
export interface ListenAddress {
  readonly listen: Address
  readonly advertised: Address
}

const portMax = 65_535
const addressForm = /^(?:\[([^\]\s]+)\]|([^:\s@/[\]]*)):(\d{1,5})$/

/** `host:port` entries. */
export function parseAddresses(setting: Placed): Address[] {
  return listOf(setting.text).map((entry) => {
    const address = parseAddress(entry)
    if (address !== undefined && isReachable(address)) return address
    throw unreadable(setting, entry, 'host:port')
  })
}

/** `id@host:port` entries; no id and no address twice. */
export function parseNodeAddresses(setting: Placed): NodeAddress[] {
  const nodes = listOf(setting.text).map((entry) => {
    const match = /^(\d{1,10})@(.+)$/.exec(entry)
    const address = parseAddress(match?.[2] ?? '')
    const nodeId = Number(match?.[1])
    if (address === undefined || !isReachable(address) || nodeId > 2 ** 31 - 1) {
      throw unreadable(setting, entry, 'id@host:port')
    }
    return { nodeId, ...address }
  })
  refuseTwice(
    setting,
    nodes.map(({ nodeId }) => `node ${nodeId}`),
  )
  refuseTwice(setting, nodes.map(addressText))
  return nodes
}

/** `host:port` to listen on: the host may be empty for every address, the port 0 for any. Undefined where nothing is set. */
export function parseListenAddress(setting: Placed): Address | undefined {
  const [entry, second] = listOf(setting.text)
  if (entry === undefined) return undefined
  const address = parseAddress(entry)
  if (address === undefined) throw unreadable(setting, entry, 'host:port')
  if (second === undefined) return address
  throw invalid(setting, `${setting.name} takes one address, and there is ${second} too`)
}

/** For others, who cannot connect to every address. */
export function reachable({ host, port }: Address): Address {
  return { host: isEveryAddress(host) ? 'localhost' : host, port }
}

export function isEveryAddress(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::'
}

export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function invalid({ where }: Placed, message: string, hint?: string): ConfigError {
  return new ConfigError('NARU-CFG-003', { message, where, ...(hint !== undefined && { hint }) })
}

function parseAddress(text: string): Address | undefined {
  const match = addressForm.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > portMax) return undefined
  return { host: match[1] ?? match[2] ?? '', port }
}

function isReachable({ host, port }: Address): boolean {
  return !isEveryAddress(host) && port > 0
}

function refuseTwice(setting: Placed, texts: readonly string[]): void {
  const twice = texts.find((text, index) => texts.indexOf(text) !== index)
  if (twice !== undefined) throw invalid(setting, `${setting.name} has ${twice} twice`)
}

function unreadable(setting: Placed, entry: string, form: string): ConfigError {
  const message = `Cannot read ${entry} in ${setting.name}`
  return invalid(setting, message, `It is written as ${form}, several with commas between them`)
}
