/** What stands behind an address that does not answer like a Kafka broker, in words. */
import { type Address, type ByteTransport, type Clock, TransportError } from '@naru/base'
import type { NaruErrorName } from '@naru/model'
import { NaruError } from './errors.ts'

const excerptBytes = 48
const probeMsMax = 1_000

/** A TLS 1.2 ClientHello with one cipher suite and no extensions: every TLS server answers it, if only with an alert. */
const clientHello = Buffer.concat([
  Buffer.from('160301002d010000290303', 'hex'),
  Buffer.alloc(32, 0x6e),
  Buffer.from('000002002f0100', 'hex'),
])
const httpRequest = Buffer.from('GET / HTTP/1.0\r\n\r\n')

interface Probing {
  readonly transport: ByteTransport
  readonly clock: Clock
  readonly requestTimeoutMs: number
}

/** The connection could not be made. */
export function unreachable(at: Address, cause: unknown): NaruError {
  const where = addressText(at)
  const code = cause instanceof TransportError ? cause.code : String(cause)
  const [reason, text] = ((): [NaruErrorName, string] => {
    switch (code) {
      case 'ECONNREFUSED':
        return ['CONNECTION_REFUSED', `${where} refused the connection`]
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return ['UNKNOWN_HOST', `the host name ${at.host} cannot be resolved`]
      case 'ETIMEDOUT':
        return ['NO_ROUTE', `${where} did not take the connection in time`]
      default:
        return ['NO_ROUTE', `${where} cannot be reached`]
    }
  })()
  return new NaruError('NARU_UNREACHABLE', `${text} (${code})`, { reason, at, cause })
}

/** Something answered, and it was not a Kafka broker: `heard` is how its first answer began. */
export function notKafka(at: Address, heard: Buffer, cause?: unknown): NaruError {
  const where = addressText(at)
  if (isTls(heard)) {
    const text = `${where} speaks TLS (first byte 0x${heard.toString('hex', 0, 1)}), and this connection is plaintext`
    return new NaruError('NARU_NOT_KAFKA', text, { reason: 'TLS_ON_PORT', at, cause })
  }
  if (isHttp(heard)) {
    const text = `${where} is an HTTP server, not a Kafka broker`
    return new NaruError('NARU_NOT_KAFKA', text, { reason: 'HTTP_ON_PORT', at, cause })
  }
  const text = `${where} does not speak the Kafka protocol: it answered ${excerpt(heard)}`
  return new NaruError('NARU_NOT_KAFKA', text, { reason: 'NOT_KAFKA', at, cause })
}

/** A broker's own address, as it tells it to clients, does not work from here. */
export function advertisedInVain(nodeId: number, at: Address, cause: NaruError): NaruError {
  const text = `broker ${nodeId} advertises ${addressText(at)}, and ${cause.message}`
  const hint = `Start broker ${nodeId} if it is down; if it runs, set its advertised.listeners to an address that this machine can reach`
  const reason = 'ADVERTISED_ADDRESS'
  return new NaruError('NARU_UNREACHABLE', text, { reason, at, hint, cause })
}

/**
 * A server that closes or stays silent on a Kafka request may be waiting for another protocol: asks in TLS and in HTTP. The
 * beginning of an answer in one of them, or undefined.
 */
export async function askOtherwise(at: Address, options: Probing): Promise<Buffer | undefined> {
  for (const question of [clientHello, httpRequest]) {
    const heard = await firstBytes(at, question, options)
    if (heard !== undefined && (isTls(heard) || isHttp(heard))) return heard
  }
  return undefined
}

export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function firstBytes(
  at: Address,
  question: Buffer,
  { transport, clock, requestTimeoutMs }: Probing,
): Promise<Buffer | undefined> {
  const probeMs = Math.min(probeMsMax, requestTimeoutMs)
  const socket = await transport.connect(at, probeMs).catch(() => undefined)
  if (socket === undefined) return undefined
  const heard = await new Promise<Buffer | undefined>((resolve) => {
    const timer = clock.setTimer(probeMs, () => resolve(undefined))
    const finish = (bytes: Buffer | undefined) => {
      timer.cancel()
      resolve(bytes)
    }
    socket.handle({ data: finish, drain() {}, close: () => finish(undefined) })
    socket.write([question])
  })
  socket.reset()
  return heard
}

/** A TLS record begins with its type (alert 0x15 or handshake 0x16) and a major version of 3. */
function isTls(heard: Buffer): boolean {
  return (heard[0] === 0x15 || heard[0] === 0x16) && heard[1] === 3
}

/** A status line, or the page that some servers send without one. */
function isHttp(heard: Buffer): boolean {
  return /^(HTTP\/|\s*<(!doctype )?html)/i.test(heard.toString('latin1', 0, excerptBytes))
}

function excerpt(heard: Buffer): string {
  const bytes = heard.subarray(0, excerptBytes)
  const more = heard.length > excerptBytes ? '…' : ''
  const text = bytes.toString('latin1').trimEnd()
  const isText = /^[\x20-\x7e\r\n\t]+$/.test(text)
  return isText ? `${JSON.stringify(text)}${more}` : `0x${bytes.toString('hex')}${more}`
}
