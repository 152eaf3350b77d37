/**
 * What the controller can be asked, as data: any broker takes a request, and forwards it as bytes to the controller, which decides.
 * Framed by name and version. A field that older controllers may overlook is added as a tagged one; a new version is for what they
 * must refuse.
 */
import { assert, ByteReader, ByteWriter, DecodeError } from '@naru/base'
import { kafkaErrorByCode, kafkaErrors } from '@naru/model'
import { type Codec, string, type Type, type ValueOf } from '@naru/protocol'
import type { CommandDefinition } from './command-definition.ts'
import { configCommands } from './config-commands.ts'
import type { DecideContext } from './controller-settings.ts'
import { type Decision, isRefusal, type Refusal, refusal } from './decision.ts'
import type { MetadataImage } from './image.ts'
import { producerIdCommands } from './producer-id-commands.ts'
import type { ReadonlyDeep } from './readonly-deep.ts'
import { topicCommands } from './topic-commands.ts'

const definitions = { ...topicCommands, ...configCommands, ...producerIdCommands }

type Definitions = typeof definitions
export type CommandType = keyof Definitions

export type RequestOf<T extends CommandType> = ReadonlyDeep<ValueOf<Definitions[T]['request']>>
export type ResponseOf<T extends CommandType> = ReadonlyDeep<ValueOf<Definitions[T]['response']>>

export type Command = { [T in CommandType]: { readonly type: T } & RequestOf<T> }[CommandType]

/** From image and command to records and answer, without changing anything. */
export function decide<T extends CommandType>(
  image: MetadataImage,
  command: Command & { readonly type: T },
  context: DecideContext,
): Decision<ResponseOf<T> | Refusal> {
  const definition = definitions[command.type] as CommandDefinition<unknown, unknown>
  return definition.decide(image, command, context) as Decision<ResponseOf<T> | Refusal>
}

/** Whether doing it twice is the same as doing it once: then it may be asked again when nobody knows what became of it. */
export function isRepeatable(type: CommandType): boolean {
  return definitions[type].isRepeatable
}

/** Of every command so far. */
const version = 0
const name = resolve(string)
const codecs = new Map(
  Object.entries<CommandDefinition<unknown, unknown>>(definitions).map(
    ([type, { request, response }]) => [
      type,
      {
        request: resolve(request) as Codec<object>,
        response: resolve(response) as Codec<object>,
      },
    ],
  ),
)

function resolve<T>(type: Type<T>): Codec<T> {
  const codec = type.resolve({ version, isFlexible: true })
  if ('absent' in codec) throw new TypeError('A command is a struct')
  return codec
}

function codecsOf(type: string) {
  const found = codecs.get(type)
  if (found === undefined) throw new DecodeError(`No command is called ${type}`)
  return found
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
