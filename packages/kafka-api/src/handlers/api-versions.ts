import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import type { Ports } from '../ports.ts'

const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** What is offered, which is what has a handler: the list is made of the handlers' own APIs. */
export function apiVersions({ metadata }: Pick<Ports, 'metadata'>) {
  const apiKeys = Object.values(apis)
    .map((api) => ({ apiKey: api.key, minVersion: api.advertisedMin, maxVersion: api.maxVersion }))
    .sort((a, b) => a.apiKey - b.apiKey)
  const features = metadata.features.map(({ name, min, max }) => {
    return { name, minVersion: min, maxVersion: max }
  })
  return defineHandler(apis.apiVersions, (request, { apiVersion }) => {
    const isNamed =
      softwareName.test(request.clientSoftwareName) &&
      softwareName.test(request.clientSoftwareVersion)
    if (apiVersion >= 3 && !isNamed) return refused
    return {
      errorCode: kafkaErrors.NONE.code,
      apiKeys,
      throttleTimeMs: 0,
      supportedFeatures: features,
      finalizedFeaturesEpoch: metadata.lastIndex,
      // Kafka's numbers go from 1 on; a level of 0 stands for a feature that is not in use.
      finalizedFeatures: [...metadata.image.features]
        .filter(([, level]) => level > 0)
        .map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
      zkMigrationReady: false,
    }
  })
}

/** A client that does not say what it is learns nothing (KIP-511). */
const refused: ResponseOf<typeof apis.apiVersions> = {
  errorCode: kafkaErrors.INVALID_REQUEST.code,
  apiKeys: [],
  throttleTimeMs: 0,
  supportedFeatures: [],
  finalizedFeaturesEpoch: -1n,
  finalizedFeatures: [],
  zkMigrationReady: false,
}
