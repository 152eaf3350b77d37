import { type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf } from '@naru/protocol'
import type { FeatureUpdate } from '@naru/services'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'

type Update = RequestOf<typeof apis.updateFeatures>['featureUpdates'][number]

const kinds: Readonly<Record<number, FeatureUpdate['kind']>> = {
  1: 'upgrade',
  2: 'safe-downgrade',
  3: 'unsafe-downgrade',
}

export function updateFeatures({ cluster, clock }: Pick<Ports, 'cluster' | 'clock'>) {
  return defineHandler(apis.updateFeatures, async (request) => {
    const { featureUpdates, validateOnly } = request
    const timeoutMs = timeLeft(clock, request.timeoutMs)()
    const outcome = outcomeOf(await update(featureUpdates, { validateOnly, timeoutMs }))
    // Before version 2 each feature is answered by itself, but only when all could be updated.
    const updated = outcome.errorCode === kafkaErrors.NONE.code ? featureUpdates : []
    const results = updated.map(({ feature }) => ({ feature, ...outcome }))
    return { throttleTimeMs: 0, ...outcome, results }
  })

  async function update(
    wanted: readonly Update[],
    how: { readonly validateOnly: boolean; readonly timeoutMs: number },
  ): Promise<Refusal | undefined> {
    const updates: FeatureUpdate[] = []
    for (const each of wanted) {
      const kind = kindOf(each)
      if (kind === undefined) return unknownKind(each)
      updates.push({ feature: each.feature, level: each.maxVersionLevel, kind })
    }
    return cluster.updateFeatures(updates, how)
  }
}

/** Version 0 has a flag, which allows every downgrade. */
function kindOf({ upgradeType, allowDowngrade }: Update): FeatureUpdate['kind'] | undefined {
  return allowDowngrade ? 'unsafe-downgrade' : kinds[upgradeType]
}

function unknownKind({ feature, upgradeType }: Update): Refusal {
  const message = `There is no kind of update ${upgradeType}, which ${feature} is to have`
  return refusal(kafkaErrors.INVALID_UPDATE_VERSION, message)
}
