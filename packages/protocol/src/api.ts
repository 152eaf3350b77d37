import { type ByteReader, type ByteWriter, DecodeError } from '@naru/base'
import type { Codec, Type } from './schema.ts'

export interface ApiDefinition<Q, R> {
  /** Kafka's API key. */
  readonly key: number
  readonly name: string
  /** Lowest and highest version with a codec. */
  readonly versions: readonly [number, number]
  /** Lowest version that is advertised where that differs: old clients look for it although it is refused. */
  readonly advertisedMin?: number
  /** First version with compact lengths and tagged fields; undefined when none has. */
  readonly flexibleSince?: number
  readonly request: Type<Q>
  readonly response: Type<R>
}

/** One API of the protocol in all its versions. */
export class Api<Q, R> {
  readonly definition: ApiDefinition<Q, R>
  readonly #requests: Codec<Q>[] = []
  readonly #responses: Codec<R>[] = []

  constructor(definition: ApiDefinition<Q, R>) {
    this.definition = definition
  }

  get key(): number {
    return this.definition.key
  }

  get name(): string {
    return this.definition.name
  }

  get minVersion(): number {
    return this.definition.versions[0]
  }

  get maxVersion(): number {
    return this.definition.versions[1]
  }

  get advertisedMin(): number {
    return this.definition.advertisedMin ?? this.minVersion
  }

  has(version: number): boolean {
    return version >= this.minVersion && version <= this.maxVersion
  }

  isFlexible(version: number): boolean {
    const { flexibleSince } = this.definition
    return flexibleSince !== undefined && version >= flexibleSince
  }

  /** What follows the request is left alone: brokers have always done so, and clients came to lean on it. */
  decodeRequest(reader: ByteReader, version: number): Q {
    return this.#request(version).read(reader)
  }

  encodeRequest(writer: ByteWriter, version: number, request: Q): void {
    this.#request(version).write(writer, request)
  }

  decodeResponse(reader: ByteReader, version: number): R {
    return whole(reader, this.#response(version))
  }

  encodeResponse(writer: ByteWriter, version: number, response: R): void {
    this.#response(version).write(writer, response)
  }

  #request(version: number): Codec<Q> {
    this.#requests[version] ??= this.#resolve(this.definition.request, version)
    return this.#requests[version]
  }

  #response(version: number): Codec<R> {
    this.#responses[version] ??= this.#resolve(this.definition.response, version)
    return this.#responses[version]
  }

  #resolve<T>(type: Type<T>, version: number): Codec<T> {
    if (!this.has(version)) throw new RangeError(`${this.name} has no version ${version}`)
    const codec = type.resolve({ version, isFlexible: this.isFlexible(version) })
    if ('absent' in codec) throw new TypeError(`${this.name} has no body in version ${version}`)
    return codec
  }
}

function whole<T>(reader: ByteReader, codec: Codec<T>): T {
  const value = codec.read(reader)
  if (reader.remaining > 0) throw new DecodeError(`${reader.remaining} bytes follow the message`)
  return value
}

export function defineApi<Q, R>(definition: ApiDefinition<Q, R>): Api<Q, R> {
  return new Api(definition)
}

/** The request and response values of an API. */
export type RequestOf<A> = A extends Api<infer Q, unknown> ? Q : never
export type ResponseOf<A> = A extends { encodeResponse(w: ByteWriter, v: number, r: infer R): void }
  ? R
  : never
