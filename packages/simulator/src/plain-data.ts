/**
 * What a message may be made of, and its deep copy: brokers in one process must share no memory. Whatever else somebody puts into a
 * message is a bug that the real network would show later, or not at all.
 */
import { crc32c } from '@naru/base'

export interface Copied {
  readonly copy: object
  /** About what it takes on a wire. */
  readonly bytes: number
  /** Of the content; equal content, equal digest. */
  readonly digest: number
}

/** 64-bit integers are bigints in some services, strings in the others (`MessageNetwork`). */
export function copyMessage(message: object, holdsBigints: boolean): Copied {
  const copier = new Copier(holdsBigints)
  const copy = copier.value(message, 'message') as object
  return { copy, bytes: copier.bytes, digest: copier.digest >>> 0 }
}

class Copier {
  bytes = 0
  digest = 0
  readonly #holdsBigints: boolean

  constructor(holdsBigints: boolean) {
    this.#holdsBigints = holdsBigints
  }

  value(value: unknown, path: string): unknown {
    if (typeof value === 'string') return this.#text(value)
    if (typeof value === 'number') return this.#count(8, value, value)
    if (typeof value === 'bigint' && this.#holdsBigints) return this.#int64(value, path)
    if (typeof value === 'boolean') return this.#count(1, value ? 1 : 2, value)
    if (Buffer.isBuffer(value)) return this.#count(value.length, crc32c(value), Buffer.from(value))
    if (Array.isArray(value)) {
      this.#count(2, value.length, value)
      return value.map((each, index) => this.value(each, `${path}[${index}]`))
    }
    if (isPlainObject(value)) return this.#object(value, path)
    throw new TypeError(`${path} is ${kindOf(value)}, which no message holds`)
  }

  #object(value: object, path: string): object {
    const copy: Record<string, unknown> = {}
    for (const [name, each] of Object.entries(value)) {
      // A field that is not there.
      if (each === undefined) continue
      this.#text(name)
      copy[name] = this.value(each, `${path}.${name}`)
    }
    return copy
  }

  #int64(value: bigint, path: string): bigint {
    if (BigInt.asIntN(64, value) !== value) throw new TypeError(`${path} is beyond 64 bits`)
    this.#mix(Number(BigInt.asIntN(32, value)))
    return this.#count(8, Number(BigInt.asIntN(32, value >> 32n)), value)
  }

  #text(text: string): string {
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at))
    return this.#count(text.length, text.length, text)
  }

  #count<T>(bytes: number, word: number, value: T): T {
    this.bytes += bytes
    this.#mix(word)
    return value
  }

  #mix(word: number): void {
    this.digest = Math.imul(this.digest ^ word, 0x01000193)
    this.digest ^= this.digest >>> 15
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object')
    return String(value === null ? null : typeof value)
  return `a ${value.constructor.name}`
}
