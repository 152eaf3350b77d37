import { array, boolean, int8, int16, string, struct } from '@naru/protocol'
import { defineCommand } from './command-definition.ts'
import { decideUpdateFeatures } from './features.ts'

export const featureCommands = {
  updateFeatures: defineCommand({
    request: struct({
      updates: array(struct({ name: string, level: int16, upgradeType: int8 })),
      validateOnly: boolean,
    }),
    response: struct({}),
    isRepeatable: false,
    decide: decideUpdateFeatures,
  }),
}
