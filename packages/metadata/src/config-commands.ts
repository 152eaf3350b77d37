import { array, boolean, nullableString, string, struct } from '@naru/protocol'
import { decideBrokerSettings } from './broker-settings.ts'
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

const changes = array(
  struct({ name: string, operation: enumeration(configOperations), value: nullableString }),
)

/** What clients ask of the settings of topics and brokers. */
export const configCommands = {
  alterTopicConfig: defineCommand({
    request: struct({
      topic: string,
      changes,
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
      const replacing = replacingChanges(image, topic, configs)
      return alter(image, { topic, changes: replacing, validateOnly }, settings)
    },
  }),
  alterBrokerConfig: defineCommand({
    /** `broker`: a node id, or empty for what holds for all that have no setting of their own. */
    request: struct({ broker: string, changes, validateOnly: boolean }),
    response: struct({}),
    isRepeatable: false,
    decide(image, { broker, changes: asked, validateOnly }) {
      const decided = decideBrokerSettings(image, { broker, changes: asked })
      if (isRefusal(decided)) return refused(decided)
      return { records: validateOnly ? [] : decided, response: {} }
    },
  }),
}

function alter(
  image: MetadataImage,
  request: { topic: string; changes: readonly ConfigChange[]; validateOnly: boolean },
  settings: ControllerSettings,
): Decision<object | Refusal> {
  const { topic, validateOnly } = request
  const decided = decideTopicConfig(image, { topic, changes: request.changes }, settings)
  if (isRefusal(decided)) return refused(decided)
  return { records: validateOnly ? [] : decided, response: {} }
}
