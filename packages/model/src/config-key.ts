/** One configuration key, declared once: parsing, validation, DescribeConfigs and the documentation derive from it. */
export interface ConfigKey {
  readonly name: string
  readonly type: 'boolean' | 'short' | 'int' | 'long' | 'double' | 'string' | 'list'
  readonly default: string
  readonly min?: number
  readonly max?: number
  /** Allowed values of a string or whole number, or of each element of a list. */
  readonly oneOf?: readonly string[]
  /** What the text of a string or list must look like. */
  readonly form?: { readonly pattern: RegExp; readonly words: string }
  /** `accepted`: stored and shown, without effect. */
  readonly effect: 'works' | 'accepted'
  readonly documentation: string
}

/**
 * The one form of a value that means the same: without the space around it, numbers without a plus or leading zeros, booleans in
 * small letters. A value that means nothing is only trimmed.
 */
export function canonicalValue(key: ConfigKey, value: string): string {
  const text = value.trim()
  if (key.type === 'boolean') return text.toLowerCase()
  return key.type in limits && /^[+-]?\d{1,30}$/.test(text)
    ? String(BigInt(text.replace('+', '')))
    : text
}

/** Why `value`, in its canonical form, cannot be the value of `key`; undefined when it can. */
export function invalidValue(key: ConfigKey, value: string): string | undefined {
  switch (key.type) {
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : 'must be true or false'
    case 'short':
    case 'int':
    case 'long':
      return wholeNumber.test(value)
        ? (invalidNumber(key, value) ?? invalidChoice(key, [value]))
        : 'must be a whole number'
    case 'double':
      return realNumber.test(value) ? invalidNumber(key, value) : 'must be a number'
    case 'string':
      return invalidText(key, value) ?? invalidChoice(key, [value])
    case 'list':
      return invalidText(key, value) ?? invalidChoice(key, value === '' ? [] : elementsOf(value))
  }
}

export function listOf(value: string): string[] {
  return elementsOf(value).filter((element) => element !== '')
}

const wholeNumber = /^-?\d{1,30}$/
const realNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
/** Largest value of the types of whole numbers. */
const limits: Readonly<Record<string, bigint>> = {
  short: 2n ** 15n - 1n,
  int: 2n ** 31n - 1n,
  long: 2n ** 63n - 1n,
}

function elementsOf(value: string): string[] {
  return value.split(',').map((element) => element.trim())
}

function invalidNumber(key: ConfigKey, value: string): string | undefined {
  const number = Number(value)
  if (key.min !== undefined && number < key.min) return `must be at least ${key.min}`
  if (key.max !== undefined && number > key.max) return `must be at most ${key.max}`
  const limit = limits[key.type]
  if (limit === undefined) return undefined
  const whole = BigInt(value)
  if (whole < -limit - 1n) return `must be at least ${-limit - 1n}`
  return whole > limit ? `must be at most ${limit}` : undefined
}

function invalidText(key: ConfigKey, value: string): string | undefined {
  const { form } = key
  return form === undefined || form.pattern.test(value) ? undefined : `must be ${form.words}`
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
