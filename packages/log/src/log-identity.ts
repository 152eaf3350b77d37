/**
 * `partition.metadata` of a partition's directory: Kafka's two lines, and four of ours. It is durable before the first append,
 * so that a start can tell this incarnation's journal entries from those of an earlier directory of the same name. A checksum
 * ends it: with a wrong log id the start would take the log for a new one and cut it to nothing.
 */
import { crc32c } from '@naru/base'
import type { FlushMode } from './checkpoint.ts'

export interface LogIdentity {
  /** 22 characters of base64url. */
  readonly topicId: string
  /** 32 hexadecimal digits. */
  readonly logId: string
  readonly firstOffset: bigint
  readonly flushMode: FlushMode
}

export function encodeIdentity(identity: LogIdentity): Buffer {
  const fields =
    `version: 0\ntopic_id: ${identity.topicId}\nnaru_log_id: ${identity.logId}\n` +
    `naru_first_offset: ${identity.firstOffset}\nnaru_flush: ${identity.flushMode}\n`
  return Buffer.from(`${fields}naru_crc: ${checksum(fields)}\n`)
}

/** Undefined when the bytes are not a whole identity. */
export function decodeIdentity(bytes: Buffer): LogIdentity | undefined {
  const text = bytes.toString('latin1')
  // Directories of the first version have none.
  const checked = /^(.*)naru_crc: ([^\n]*)\n$/s.exec(text)
  if (checked !== null && checksum(checked[1] as string) !== checked[2]) return undefined
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2))
  }
  const topicId = fields.get('topic_id')
  const logId = fields.get('naru_log_id')
  const firstOffset = fields.get('naru_first_offset')
  const flushMode = fields.get('naru_flush')
  if (topicId === undefined || logId === undefined || firstOffset === undefined) return undefined
  if (!/^[0-9a-f]{32}$/.test(logId) || !/^\d+$/.test(firstOffset)) return undefined
  if (flushMode !== 'ack' && flushMode !== 'async' && flushMode !== 'never') return undefined
  return { topicId, logId, firstOffset: BigInt(firstOffset), flushMode }
}

function checksum(fields: string): string {
  return crc32c(Buffer.from(fields, 'latin1')).toString(16).padStart(8, '0')
}
