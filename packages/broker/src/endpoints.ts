import { listOf } from '@naru/model'
import { ConfigError } from './config-error.ts'

export interface Endpoint {
  readonly listener: string
  /** Empty for every address. */
  readonly host: string
  readonly port: number
}

/** Parses `NAME://host:port` entries. Listener names other than the secured protocols are taken as plaintext. */
export function parseListeners(text: string, where: string): Endpoint[] {
  const endpoints = listOf(text).map((entry) => parseEndpoint(entry, where))
  const names = endpoints.map(({ listener }) => listener)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigError('NARU-CFG-003', { message: `Two listeners are named ${twice}`, where })
  }
  return endpoints.filter(({ listener }) => listener !== 'CONTROLLER')
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
  if (/^(SSL|SASL_)/.test(listener)) {
    const message = `Cannot offer listener ${listener}: this version has no TLS and no authentication`
    throw new ConfigError('NARU-CFG-002', { message, where })
  }
  return { listener, host: match[2] ?? match[3] ?? '', port }
}
