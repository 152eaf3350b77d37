const unitMs: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `500ms`, `10s`, `1h30m` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    total += Number(count) * (unitMs[unit as string] as number)
  }
  return total
}

/** `120 ms ago`, `3 min ago`; empty when it is not known. */
export function agoText(ms: number | undefined): string {
  if (ms === undefined) return ''
  if (ms < 1_000) return `${Math.round(ms)} ms ago`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s ago`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min ago`
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h ago`
  return `${Math.round(ms / 86_400_000)} d ago`
}
