import { array, boolean, nullableString, string, struct } from '@naru/protocol'
import { defineCommand, refused } from './command-definition.ts'
import {
  type ConfigChange,
  configOperations,
  decideTopicConfig,
  replacingChanges,
} from './configs.ts'
import type { ControllerSettings } from './controller-settings.ts'
import { type Decision, isRefusal, type Refusal } from './decision.ts'
import { enumeration } from './enumeration.ts'
import type { MetadataImage } from './image.ts'

/** What clients ask of topics' settings. */
export const configCommands = {
  alterTopicConfig: defineCommand({
    request: struct({
      topic: string,
      changes: array(
        struct({ name: string, operation: enumeration(configOperations), value: nullableString }),
      ),
      validateOnly: boolean,
    }),
    response: struct({}),
    isRepeatable: false,
    decide(image, request, { settings }) {
      return alter(image, request, settings)
    },
  }),
  replaceTopicConfig: defineCommand({
    request: struct({
      topic: string,
      configs: array(struct({ name: string, value: nullableString })),
      validateOnly: boolean,
    }),
    response: struct({}),
    isRepeatable: false,
    decide(image, { topic, configs, validateOnly }, { settings }) {
      const changes = replacingChanges(image, topic, configs)
      return alter(image, { topic, changes, validateOnly }, settings)
    },
  }),
}

function alter(
  image: MetadataImage,
  request: { topic: string; changes: readonly ConfigChange[]; validateOnly: boolean },
  settings: ControllerSettings,
): Decision<object | Refusal> {
  const { topic, changes, validateOnly } = request
  const decided = decideTopicConfig(image, { topic, changes }, settings)
  if (isRefusal(decided)) return refused(decided)
  return { records: validateOnly ? [] : decided, response: {} }
}
