import { brokerCommands } from './broker-commands.ts'
import { configCommands } from './config-commands.ts'
import { featureCommands } from './feature-commands.ts'
import { partitionCommands } from './partition-commands.ts'
import { producerIdCommands } from './producer-id-commands.ts'
import { topicCommands } from './topic-commands.ts'

/** Every command with its schemas and its decision. */
export const definitions = {
  ...topicCommands,
  ...configCommands,
  ...producerIdCommands,
  ...brokerCommands,
  ...partitionCommands,
  ...featureCommands,
}
