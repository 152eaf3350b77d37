import type { Position } from '@naru/client'

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Where to begin to read: `start`, `end`, `128`, `-10` (before the end), `@-10m`, `@2026-01-31T12:00`, `@1700000000000`. */
export function parsePosition(text: string, nowMs: number): Position | undefined {
  if (text === 'start' || text === 'earliest') return 'earliest'
  if (text === 'end' || text === 'latest') return 'latest'
  if (/^-?\d{1,18}$/.test(text)) return BigInt(text)
  const timestamp = text.startsWith('@') ? parseTime(text.slice(1), nowMs) : undefined
  return timestamp === undefined ? undefined : { timestamp: BigInt(timestamp) }
}

function parseTime(text: string, nowMs: number): number | undefined {
  const ago = /^-(\d+)(ms|s|m|h|d)$/.exec(text)
  if (ago !== null) return nowMs - Number(ago[1]) * (unitMs[ago[2] as string] as number)
  if (/^\d{10,16}$/.test(text)) return Number(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}
