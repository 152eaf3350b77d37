import type { Type } from '@naru/protocol'
import type { DecideContext } from './controller-settings.ts'
import type { Decision, Refusal } from './decision.ts'
import type { MetadataImage } from './image.ts'
import type { ReadonlyDeep } from './readonly-deep.ts'

/** A command with everything that there is to know of it. */
export interface CommandDefinition<Q, R> {
  readonly request: Type<Q>
  /** No field may be called `error`: that is what tells a refusal. */
  readonly response: Type<R>
  /** Doing it twice is the same as doing it once, whatever others do in between. */
  readonly isRepeatable: boolean
  decide(
    image: MetadataImage,
    request: ReadonlyDeep<Q>,
    context: DecideContext,
  ): Decision<ReadonlyDeep<R> | Refusal>
}

/** Lets TypeScript infer the values from the schemas. */
export function defineCommand<Q, R>(definition: CommandDefinition<Q, R>): CommandDefinition<Q, R> {
  return definition
}

/** The answer of a command that changes nothing. */
export function refused(response: Refusal): Decision<Refusal> {
  return { records: [], response }
}
