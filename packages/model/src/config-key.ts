/** One configuration key, declared once: parsing, validation, DescribeConfigs and the documentation derive from it. */
export interface ConfigKey {
  readonly name: string
  readonly type: 'boolean' | 'int' | 'long' | 'double' | 'string' | 'list'
  readonly default: string
  readonly min?: number
  readonly max?: number
  /** Allowed values of a string, or of each element of a list. */
  readonly oneOf?: readonly string[]
  /** `accepted`: stored and shown, without effect. */
  readonly effect: 'works' | 'accepted'
  readonly documentation: string
}

/** Why `value` cannot be the value of `key`, or undefined when it can. */
export function invalidValue(key: ConfigKey, value: string): string | undefined {
  switch (key.type) {
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : 'must be true or false'
    case 'int':
    case 'long':
    case 'double':
      return invalidNumber(key, value)
    case 'string':
      return invalidChoice(key, [value])
    case 'list':
      return invalidChoice(key, listOf(value))
  }
}

export function listOf(value: string): string[] {
  return value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

function invalidNumber(key: ConfigKey, value: string): string | undefined {
  const pattern = key.type === 'double' ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/
  if (!pattern.test(value)) return `must be a ${key.type === 'double' ? 'number' : 'whole number'}`
  const number = Number(value)
  const max = key.max ?? (key.type === 'int' ? 2 ** 31 - 1 : Number.MAX_VALUE)
  if (key.min !== undefined && number < key.min) return `must be at least ${key.min}`
  return number > max ? `must be at most ${max}` : undefined
}

function invalidChoice(key: ConfigKey, values: readonly string[]): string | undefined {
  const { oneOf } = key
  if (oneOf === undefined) return undefined
  const stranger = values.find((value) => !oneOf.includes(value))
  return stranger === undefined ? undefined : `must be one of ${oneOf.join(', ')}`
}

/** The name of `names` that is closest to a mistyped one, when any is close. */
export function nearestName(mistyped: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Math.max(2, Math.floor(mistyped.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(mistyped, name)
    if (distance < least) {
      least = distance
      nearest = name
    }
  }
  return nearest
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
