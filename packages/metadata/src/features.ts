/** Decisions about the levels of the cluster's features (KIP-584). */
import { kafkaErrors } from '@naru/model'
import type { DecideContext } from './controller-settings.ts'
import type { Decision, Refusal } from './decision.ts'
import { refusal } from './decision.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataRecord } from './records.ts'

/** By Kafka's numbers. A safe downgrade loses nothing; an unsafe one may. */
export const upgradeTypes = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

export interface FeatureUpdate {
  readonly name: string
  readonly level: number
  readonly upgradeType: number
}

/** All updates or none. */
export function decideUpdateFeatures(
  image: MetadataImage,
  request: { readonly updates: readonly FeatureUpdate[]; readonly validateOnly: boolean },
  context: DecideContext,
): Decision<object | Refusal> {
  const records: MetadataRecord[] = []
  const seen = new Set<string>()
  for (const update of request.updates) {
    const { name, level } = update
    if (seen.has(name)) {
      const message = `The request changes ${name} twice`
      return { records: [], response: refusal(kafkaErrors.INVALID_REQUEST, message) }
    }
    seen.add(name)
    const problem = refusedDirection(image, update) ?? unsupported(image, update, context)
    if (problem !== undefined) {
      const message = `Cannot set ${name} to ${level}: ${problem}`
      return { records: [], response: refusal(kafkaErrors.INVALID_UPDATE_VERSION, message) }
    }
    if (level !== (image.features.get(name) ?? 0)) records.push({ type: 'feature', name, level })
  }
  return { records: request.validateOnly ? [] : records, response: {} }
}

function refusedDirection(image: MetadataImage, update: FeatureUpdate): string | undefined {
  const { name, level, upgradeType } = update
  const current = image.features.get(name) ?? 0
  if (!Object.values<number>(upgradeTypes).includes(upgradeType)) {
    return `the controller does not know upgrade type ${upgradeType}`
  }
  if (level < 0) return 'a level cannot be negative'
  if (level < current && upgradeType === upgradeTypes.upgrade) {
    return `it is at ${current}, and a downgrade has to be asked for as one`
  }
  if (level > current && upgradeType !== upgradeTypes.upgrade) {
    return `it is at ${current}, and a downgrade cannot raise it`
  }
  return undefined
}

/** Every registered broker counts, fenced or not: it will read what is written meanwhile. */
function unsupported(
  image: MetadataImage,
  { name, level }: FeatureUpdate,
  { features }: DecideContext,
): string | undefined {
  const own = features.find((feature) => feature.name === name)
  if (own === undefined) return 'the controller does not know this feature'
  if (level < own.min || level > own.max) {
    return `the controller supports ${own.min} to ${own.max}`
  }
  for (const broker of image.brokers.values()) {
    const known = broker.features.find((feature) => feature.name === name)
    if (known === undefined) return `broker ${broker.nodeId} does not know this feature`
    if (level < known.min || level > known.max) {
      return `broker ${broker.nodeId} supports ${known.min} to ${known.max}`
    }
  }
  return undefined
}
