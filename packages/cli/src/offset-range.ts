/** What to read: `FROM` or `FROM:UNTIL`, in offsets or times. The grammar is that of Redpanda's rpk. */
import type { Position } from '@naru/client'
import { parseDuration } from './duration.ts'

export interface OffsetRange {
  readonly from: Position
  /** Exclusive; undefined to follow. */
  readonly until?: Position
}

export const offsetGrammar = `  start, end         the oldest record that there is; the next one that comes
  +10, -10           from 10 records after the start; from 10 before the end
  100, 100:200       from offset 100; offsets 100 to 199
  :100, :end         from the start to before offset 100; to the end as it is now
  @TIME, @TIME:TIME  from a time; from one to before another
  A TIME is 2026-01-31, 2026-01-31T12:00:00Z (UTC, or with an offset), 10m ago as -10m, or seconds or
  milliseconds since 1970; after the colon also end, and 1h for an hour from the first.
  With several partitions all this holds for each. A range never waits: it gives what there is.`

const offsetMax = 2n ** 63n - 1n

/** Undefined when the text is not of the grammar. */
export function parseOffsetRange(text: string, nowMs: number): OffsetRange | undefined {
  const from = parseFrom(text, nowMs)
  if (from !== undefined) return { from }
  // Times have colons of their own: whichever of them parts two readable halves is the one.
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    const range = parseHalves(text.slice(0, at), text.slice(at + 1), nowMs)
    if (range !== undefined) return range
  }
  return undefined
}

function parseHalves(left: string, right: string, nowMs: number): OffsetRange | undefined {
  const from = left === '' || left === '@' ? 'earliest' : parseFrom(left, nowMs)
  if (from === undefined) return undefined
  if (right === '') return left === '' || left === '@' ? undefined : { from }
  const until = parseUntil(right, { isTime: left.startsWith('@'), from, nowMs })
  if (until === undefined || isBackwards(from, until)) return undefined
  return { from, until }
}

function parseFrom(text: string, nowMs: number): Position | undefined {
  if (text === 'start' || text === 'earliest' || text === 'beginning') return 'earliest'
  if (text === 'end' || text === 'latest') return 'latest'
  if (text.startsWith('@')) return timestamp(parseTime(text.slice(1), nowMs))
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined
  const count = BigInt(text.replace(/^\+/, ''))
  if (count > offsetMax) return undefined
  if (text.startsWith('+')) return { afterStart: count }
  return text.startsWith('-') && count === 0n ? 'latest' : count
}

function parseUntil(
  text: string,
  { isTime, from, nowMs }: { isTime: boolean; from: Position; nowMs: number },
): Position | undefined {
  if (text === 'end') return 'latest'
  if (!isTime && !text.startsWith('@')) return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined
  const time = text.replace(/^@/, '')
  const span = parseDuration(time)
  if (span === undefined) return timestamp(parseTime(time, nowMs))
  const isSpan = typeof from === 'object' && 'timestamp' in from
  return isSpan ? { timestamp: from.timestamp + BigInt(span) } : undefined
}

function timestamp(ms: number | undefined): Position | undefined {
  return ms === undefined ? undefined : { timestamp: BigInt(ms) }
}

function parseTime(text: string, nowMs: number): number | undefined {
  const ago = text.startsWith('-') ? parseDuration(text.slice(1)) : undefined
  if (ago !== undefined) return nowMs - ago
  if (/^\d{13}$/.test(text)) return Number(text)
  if (/^\d{10}$/.test(text)) return Number(text) * 1000
  const match =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text)
  if (match === null) return undefined
  const [, date = '', clock = 'T00:00', , , zone = 'Z'] = match
  const ms = Date.parse(`${date}${clock}${zone}`)
  // Date.parse takes a 31st of February for a day in March.
  const isDay = new Date(`${date}T00:00Z`).getUTCDate() === Number(date.slice(8))
  return Number.isNaN(ms) || !isDay ? undefined : ms
}

function isBackwards(from: Position, until: Position): boolean {
  if (typeof from === 'bigint' && typeof until === 'bigint') return from >= 0n && until <= from
  const times = [from, until].map((each) => {
    return typeof each === 'object' && 'timestamp' in each ? each.timestamp : undefined
  })
  return times[0] !== undefined && times[1] !== undefined && times[1] <= times[0]
}
