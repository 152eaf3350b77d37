/** What clients may see of a cluster's metadata, as objects that {@link checkLinearizable} understands. */
import type { Model } from './linearizability.ts'

/** Everything about one topic name: configs go with the topic, so they are one object. */
export type TopicInput =
  | { readonly type: 'create'; readonly name: string; readonly partitions: number }
  | { readonly type: 'delete'; readonly name: string }
  | { readonly type: 'describe'; readonly name: string }
  /** `count` is the new total. */
  | { readonly type: 'addPartitions'; readonly name: string; readonly count: number }
  | {
      readonly type: 'setConfig'
      readonly name: string
      readonly key: string
      readonly value: string
    }
  /** Adds an item to a list; one that is there already is not doubled. */
  | {
      readonly type: 'appendConfig'
      readonly name: string
      readonly key: string
      readonly value: string
    }
  | { readonly type: 'readConfig'; readonly name: string; readonly key: string }

/** Refusals are answers: they say something about the state. */
export type TopicOutput =
  | { readonly type: 'created' | 'topic'; readonly id: string; readonly partitions: number }
  | { readonly type: 'done' | 'alreadyExists' | 'unknownTopic' | 'notMore' }
  | { readonly type: 'config'; readonly value: string | undefined }

interface Topic {
  /** Undefined: made by a creation whose answer is not known, and not seen since. */
  readonly id: string | undefined
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

export interface TopicState {
  readonly topic: Topic | undefined
  /** Ids of topics that had this name: they never come back. */
  readonly gone: readonly string[]
}

export const topicModel: Model<TopicState, TopicInput, TopicOutput> = {
  initial: { topic: undefined, gone: [] },
  step(state, input, output) {
    const { topic } = state
    if (topic !== undefined) return stepTopic({ state, topic }, input, output)
    if (input.type === 'create') return stepCreate(state, input.partitions, output)
    return isAnswer(output, 'unknownTopic') ? state : undefined
  },
  keyOf: ({ topic, gone }) =>
    topic === undefined
      ? `-${gone.join()}`
      : `${topic.id ?? '?'}/${topic.partitions}/${JSON.stringify(Object.entries(topic.configs).sort())}-${gone.join()}`,
  isRead: ({ type }) => type === 'describe' || type === 'readConfig',
}

function stepCreate(
  { gone }: TopicState,
  partitions: number,
  output: TopicOutput | undefined,
): TopicState | undefined {
  if (output === undefined) return { topic: { id: undefined, partitions, configs: {} }, gone }
  if (output.type !== 'created' || output.partitions !== partitions) return undefined
  if (gone.includes(output.id)) return undefined
  return { topic: { id: output.id, partitions, configs: {} }, gone }
}

function stepTopic(
  { state, topic }: { state: TopicState; topic: Topic },
  input: TopicInput,
  output: TopicOutput | undefined,
): TopicState | undefined {
  const { gone } = state
  const done = isAnswer(output, 'done')
  switch (input.type) {
    case 'create':
      return isAnswer(output, 'alreadyExists') ? state : undefined
    case 'describe':
      return stepDescribe(state, topic, output)
    case 'delete': {
      if (!done) return undefined
      return { topic: undefined, gone: topic.id === undefined ? gone : [...gone, topic.id].sort() }
    }
    case 'addPartitions': {
      if (input.count <= topic.partitions) return isAnswer(output, 'notMore') ? state : undefined
      return done ? { topic: { ...topic, partitions: input.count }, gone } : undefined
    }
    case 'setConfig':
    case 'appendConfig': {
      const before = input.type === 'appendConfig' ? topic.configs[input.key] : undefined
      const configs = { ...topic.configs, [input.key]: appended(before, input.value) }
      return done ? { topic: { ...topic, configs }, gone } : undefined
    }
    case 'readConfig': {
      if (output === undefined) return state
      const isSeen = output.type === 'config' && output.value === topic.configs[input.key]
      return isSeen ? state : undefined
    }
  }
}

/** The id of a topic whose creator had no answer becomes known to whoever sees it first. */
function stepDescribe(
  state: TopicState,
  topic: Topic,
  output: TopicOutput | undefined,
): TopicState | undefined {
  if (output === undefined) return state
  if (output.type !== 'topic' || output.partitions !== topic.partitions) return undefined
  if (topic.id === output.id) return state
  if (topic.id !== undefined || state.gone.includes(output.id)) return undefined
  return { ...state, topic: { ...topic, id: output.id } }
}

function appended(list: string | undefined, item: string): string {
  if (list === undefined || list === '') return item
  return list.split(',').includes(item) ? list : `${list},${item}`
}

/** An answer that is not known may have been any. */
function isAnswer(output: TopicOutput | undefined, type: TopicOutput['type']): boolean {
  return output === undefined || output.type === type
}

export interface ProducerIdBlock {
  readonly first: number
  readonly length: number
}

/** Blocks of producer ids are handed out upwards; those whose answer was lost are gaps. */
export const producerIdModel: Model<number, 'allocate', ProducerIdBlock> = {
  initial: 0,
  step(next, _, block) {
    if (block === undefined) return next
    return block.length > 0 && block.first >= next ? block.first + block.length : undefined
  },
  keyOf: String,
  // What an allocation without an answer took is a gap like any other.
  isRead: () => true,
}

export type RegisterInput =
  | { readonly type: 'read' }
  | { readonly type: 'write'; readonly value: number }
  | { readonly type: 'compareAndSet'; readonly from: number; readonly to: number }

/** The value read, or whether it was set. */
export type RegisterOutput = number | boolean

export const registerModel: Model<number, RegisterInput, RegisterOutput> = {
  initial: 0,
  step(value, input, output) {
    switch (input.type) {
      case 'read':
        return output === undefined || output === value ? value : undefined
      case 'write':
        return output === undefined || output === true ? input.value : undefined
      case 'compareAndSet': {
        const isSet = value === input.from
        if (output !== undefined && output !== isSet) return undefined
        return isSet ? input.to : value
      }
    }
  },
  keyOf: String,
  isRead: ({ type }) => type === 'read',
}
