import { ConfigError } from './config-error.ts'

/** A key and a value as somebody wrote them, and where. */
export interface Setting {
  readonly name: string
  readonly value: string
  readonly where: string
}

/** Parses a file in the form of Kafka's `server.properties`: `key=value` lines, comments, continued lines, backslash escapes. */
export function parseProperties(text: string, file: string): Setting[] {
  const settings: Setting[] = []
  const lines = text.split(/\r\n|\n|\r/)
  for (let i = 0; i < lines.length; i++) {
    const first = i + 1
    let line = (lines[i] as string).trimStart()
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
    while (/(^|[^\\])(\\\\)*\\$/.test(line) && i + 1 < lines.length) {
      line = line.slice(0, -1) + (lines[++i] as string).trimStart()
    }
    const where = `${file}, line ${first}`
    const match = /^((?:\\.|[^\\=:\s])+)\s*[=:\s]\s*(.*)$/.exec(line)
    if (match === null) {
      throw new ConfigError('NARU-CFG-003', { message: `Cannot read "${line}": no value`, where })
    }
    const name = unescaped(match[1] as string)
    settings.push({ name, value: unescaped((match[2] as string).trimEnd()), where })
  }
  return settings
}

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escaped: string) => {
    if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    const known: Record<string, string> = { n: '\n', t: '\t', r: '\r', f: '\f' }
    return known[escaped] ?? escaped
  })
}

/**
 * Settings in the environment, by the mapping of Kafka's own image: a prefix, then `.` as `_`, `_` as `__`, `-` as `___`.
 * `KAFKA_NODE_ID` and `NARU_NODE_ID` are node.id, `NARU_FLUSH` is naru.flush. Names that are no keys are left out and reported:
 * orchestrators put variables of their own there.
 */
export function environmentSettings(
  environment: Readonly<Record<string, string | undefined>>,
  isKey: (name: string) => boolean,
): { kafka: Setting[]; naru: Setting[]; unknown: string[] } {
  const result = { kafka: [] as Setting[], naru: [] as Setting[], unknown: [] as string[] }
  for (const [variable, value] of Object.entries(environment)) {
    const match = /^(KAFKA|NARU)_([A-Z0-9_]+)$/.exec(variable)
    if (match === null || value === undefined) continue
    const name = keyOf(match[2] as string)
    const where = `environment variable ${variable}`
    const own = `naru.${name}`
    if (match[1] === 'KAFKA') {
      if (isKey(name)) result.kafka.push({ name, value, where })
      else result.unknown.push(variable)
    } else if (isKey(own)) result.naru.push({ name: own, value, where })
    else if (isKey(name)) result.naru.push({ name, value, where })
    else result.unknown.push(variable)
  }
  return result
}

function keyOf(upper: string): string {
  return upper
    .toLowerCase()
    .replaceAll('___', '\u0001')
    .replaceAll('__', '\u0002')
    .replaceAll('_', '.')
    .replaceAll('\u0001', '-')
    .replaceAll('\u0002', '_')
}
