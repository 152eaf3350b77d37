/** Values of options, from text; each refuses what it cannot read before anything is sent. */
import type { ConsumedRecord, Endpoint } from '@naru/client'
import { parseDuration } from './duration.ts'
import { usage } from './failure.ts'
import { type OffsetRange, offsetGrammar, parseOffsetRange } from './offset-range.ts'
import type { Format } from './output.ts'
import { parseTemplate, templateGrammar } from './record-template.ts'

const int32Max = 2 ** 31 - 1

/** A whole number from `min` on, for the option of that name. */
export function wholeNumber(flag: string, min: number, max = int32Max): (text: string) => number {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw usage(`${flag} takes a whole number from ${min} to ${max}, not "${text}"`)
  }
}

/** `1,2,3`: each once. */
export function brokerIds(flag: string): (text: string) => number[] {
  return (text) => {
    const ids = text.split(',').map(wholeNumber(flag, 0))
    if (new Set(ids).size === ids.length) return ids
    throw usage(`${flag} names a broker twice: "${text}"`)
  }
}

export function duration(flag: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text)
    if (ms !== undefined && ms > 0 && ms <= int32Max) return ms
    throw usage(`${flag} takes a time like 500ms, 10s or 1m30s, not "${text}"`)
  }
}

/** One of `key=value`, added to those before it. */
export function keyValue(flag: string) {
  return (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const at = text.indexOf('=')
    if (at < 1) throw usage(`${flag} takes key=value, not "${text}"`)
    const key = text.slice(0, at)
    if (Object.hasOwn(before, key)) throw usage(`${flag} names ${key} twice`)
    return { ...before, [key]: text.slice(at + 1) }
  }
}

/** One of `NAME://host:port`, added to those before it. */
export function endpoint(flag: string) {
  return (text: string, before: readonly Endpoint[] = []): Endpoint[] => {
    const match = /^(\w+):\/\/(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(text)
    const port = Number(match?.[4])
    if (match !== null && port > 0 && port < 65_536) {
      const host = (match[2] ?? match[3]) as string
      return [...before, { listener: match[1] as string, host, port }]
    }
    throw usage(`${flag} takes NAME://host:port, not "${text}"`)
  }
}

export function formatOf(allowed: readonly Format[]): (text: string) => Format {
  return (text) => {
    const found = allowed.find((format) => format === text)
    if (found !== undefined) return found
    const hint = `Formats are ${allowed.join(', ')}; --format help says what they print`
    throw usage(`There is no format "${text}" here`, hint)
  }
}

export function offsetRange(text: string): OffsetRange {
  const range = parseOffsetRange(text, Date.now())
  if (range !== undefined) return range
  throw usage(`Cannot read the offset "${text}"`, `Write one of\n${offsetGrammar}`)
}

export function template(text: string): (record: ConsumedRecord) => Buffer {
  const printer = parseTemplate(text)
  if (typeof printer !== 'string') return printer
  throw usage(`Cannot read "${printer}" in the template "${text}"`, `Write\n${templateGrammar}`)
}
