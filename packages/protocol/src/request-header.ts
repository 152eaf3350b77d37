import { type ByteReader, type ByteWriter, DecodeError } from '@naru/base'
import type { Api } from './api.ts'

const apiVersionsKey = 18

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** The part that every version has; what follows depends on whether the API's version is flexible. */
export function readRequestHeader(reader: ByteReader): RequestHeader {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  // An int16 length even in flexible versions (KIP-482): old brokers must be able to read it.
  const length = reader.int16()
  if (length < -1) throw new DecodeError(`Client id of ${length} bytes`)
  return { apiKey, apiVersion, correlationId, clientId: length < 0 ? null : reader.utf8(length) }
}

/** Skips the tagged fields of header version 2. */
export function skipHeaderTags(reader: ByteReader): void {
  const count = reader.unsignedVarint()
  for (let i = 0; i < count; i++) {
    reader.unsignedVarint()
    reader.take(reader.unsignedVarint())
  }
}

export function writeRequestHeader<Q, R>(
  writer: ByteWriter,
  api: Api<Q, R>,
  header: { apiVersion: number; correlationId: number; clientId: string },
): void {
  writer.int16(api.key)
  writer.int16(header.apiVersion)
  writer.int32(header.correlationId)
  writer.int16(Buffer.byteLength(header.clientId))
  writer.utf8(header.clientId)
  if (api.isFlexible(header.apiVersion)) writer.unsignedVarint(0)
}

/** Whether the response header ends with tagged fields. ApiVersions never has them: its client may not know the version yet. */
export function hasResponseHeaderTags<Q, R>(api: Api<Q, R>, version: number): boolean {
  return api.key !== apiVersionsKey && api.isFlexible(version)
}
