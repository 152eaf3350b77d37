/**
 * `partition.metadata` of a partition's directory: Kafka's two lines, and three of ours. It is durable before the first append,
 * so that a start can tell this incarnation's journal entries from those of an earlier directory of the same name.
 */
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
  return Buffer.from(
    `version: 0\ntopic_id: ${identity.topicId}\nnaru_log_id: ${identity.logId}\n` +
      `naru_first_offset: ${identity.firstOffset}\nnaru_flush: ${identity.flushMode}\n`,
  )
}

/** Undefined when the bytes are not a whole identity. */
export function decodeIdentity(bytes: Buffer): LogIdentity | undefined {
  const fields = new Map<string, string>()
  for (const line of bytes.toString('utf8').split('\n')) {
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
