/** What the controller can be asked, as data: any broker takes a request, and forwards it to the controller, which decides. */
import type { Type, ValueOf } from '@naru/protocol'
import type { CommandDefinition } from './command-definition.ts'
import { definitions } from './command-table.ts'
import type { DecideContext } from './controller-settings.ts'
import type { Decision, Refusal } from './decision.ts'
import { writtenLevel } from './feature-levels.ts'
import type { MetadataImage } from './image.ts'
import type { ReadonlyDeep } from './readonly-deep.ts'
import type { MetadataRecord } from './records.ts'

type Definitions = typeof definitions
export type CommandType = keyof Definitions

export type RequestOf<T extends CommandType> = ReadonlyDeep<ValueOf<Definitions[T]['request']>>
export type ResponseOf<T extends CommandType> = ReadonlyDeep<ValueOf<Definitions[T]['response']>>

export type Command = { [T in CommandType]: { readonly type: T } & RequestOf<T> }[CommandType]

/** From image and command to records and answer, without changing anything. When and why is the first record. */
export function decide<T extends CommandType>(
  image: MetadataImage,
  command: Command & { readonly type: T },
  context: DecideContext,
): Decision<ResponseOf<T> | Refusal> {
  const definition = definitions[command.type] as CommandDefinition<unknown, unknown>
  const { records, response, isPart } = definition.decide(image, command, context)
  return {
    records: explained(image, command, { records, nowMs: context.nowMs }),
    response,
    ...(isPart && { isPart }),
  } as Decision<ResponseOf<T> | Refusal>
}

/** Whether doing it twice is the same as doing it once: then it may be asked again when nobody knows what became of it. */
export function isRepeatable(type: CommandType): boolean {
  return definitions[type].isRepeatable
}

function explained(
  image: MetadataImage,
  command: Command,
  { records, nowMs }: { records: readonly MetadataRecord[]; nowMs: number },
): readonly MetadataRecord[] {
  // Level 0 has no record for it.
  if (records.length === 0 || writtenLevel(image, records) === 0) return records
  const cause = 'cause' in command ? command.cause : command.type
  return [{ type: 'change', timestampMs: BigInt(nowMs), cause }, ...records]
}

/** The schemas of a command; undefined when no command is called so. */
export function schemasOf(
  type: string,
): { readonly request: Type<unknown>; readonly response: Type<unknown> } | undefined {
  return Object.hasOwn(definitions, type) ? definitions[type as CommandType] : undefined
}
