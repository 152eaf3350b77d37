/**
 * Commands and their results as bytes, framed by name and version. A field that older controllers may overlook is added as a tagged
 * one; a new version is for what they must refuse.
 */
import { assert, ByteReader, ByteWriter, DecodeError } from '@naru/base'
import { kafkaErrorByCode, kafkaErrors } from '@naru/model'
import { type Codec, string, type Type } from '@naru/protocol'
import { type Command, type CommandType, type ResponseOf, schemasOf } from './commands.ts'
import { isRefusal, type Refusal, refusal } from './decision.ts'

/** Of every command so far. */
const version = 0
const name = resolve(string)

interface CommandCodecs {
  readonly request: Codec<object>
  readonly response: Codec<object>
}

const codecs = new Map<string, CommandCodecs>()

function resolve<T>(type: Type<T>): Codec<T> {
  const codec = type.resolve({ version, isFlexible: true })
  if ('absent' in codec) throw new TypeError('A command is a struct')
  return codec
}

function codecsOf(type: string): CommandCodecs {
  const known = codecs.get(type)
  if (known !== undefined) return known
  const schemas = schemasOf(type)
  if (schemas === undefined) throw new DecodeError(`No command is called ${type}`)
  const made = {
    request: resolve(schemas.request as Type<object>),
    response: resolve(schemas.response as Type<object>),
  }
  codecs.set(type, made)
  return made
}

export function encodeCommand(command: Command): Buffer {
  const writer = new ByteWriter(256)
  name.write(writer, command.type)
  writer.unsignedVarint(version)
  codecsOf(command.type).request.write(writer, command)
  return Buffer.concat(writer.finishChunks())
}

/** Throws DecodeError when the bytes are damaged, or of a command or version that is not known yet. */
export function decodeCommand(bytes: Buffer): Command {
  const reader = new ByteReader(bytes)
  const type = name.read(reader)
  const { request } = codecsOf(type)
  readVersion(reader, type)
  const value = request.read(reader)
  if (reader.remaining > 0) throw new DecodeError(`Bytes follow the command ${type}`)
  return { type, ...value } as Command
}

/** A refusal travels as Kafka's code and a message, an answer as code 0 and its fields. */
export function encodeResult(type: CommandType, result: object): Buffer {
  const writer = new ByteWriter(64)
  writer.unsignedVarint(version)
  if (isRefusal(result)) {
    assert(result.error.code !== kafkaErrors.NONE.code, 'A refusal has an error')
    writer.int16(result.error.code)
    name.write(writer, result.message)
  } else {
    writer.int16(kafkaErrors.NONE.code)
    codecsOf(type).response.write(writer, result)
  }
  return Buffer.concat(writer.finishChunks())
}

/** Throws DecodeError when the bytes are damaged or of a newer version. */
export function decodeResult<T extends CommandType>(
  type: T,
  bytes: Buffer,
): ResponseOf<T> | Refusal {
  const reader = new ByteReader(bytes)
  readVersion(reader, type)
  const code = reader.int16()
  const isAnswer = code === kafkaErrors.NONE.code
  const result = isAnswer
    ? codecsOf(type).response.read(reader)
    : refusal(kafkaErrorByCode(code), name.read(reader))
  if (reader.remaining > 0) throw new DecodeError(`Bytes follow the answer to ${type}`)
  return result as ResponseOf<T> | Refusal
}

function readVersion(reader: ByteReader, type: string): void {
  const found = reader.unsignedVarint()
  if (found !== version) throw new DecodeError(`Command ${type} has version ${found}`)
}
