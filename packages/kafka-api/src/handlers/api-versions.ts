import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis } from '@naru/protocol'
import type { Ports } from '../ports.ts'

const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** Levels that Kafka's tools know; a feature at level 0 is not finalized and not shown. */
const features = [{ name: 'metadata.version', minVersion: 7, maxVersion: 31 }]

/** What is offered, which is what has a handler: the list is made of the handlers' own APIs. */
export function apiVersions({ metadata }: Pick<Ports, 'metadata'>) {
  const apiKeys = Object.values(apis)
    .map((api) => ({ apiKey: api.key, minVersion: api.advertisedMin, maxVersion: api.maxVersion }))
    .sort((a, b) => a.apiKey - b.apiKey)
  return defineHandler(apis.apiVersions, (request, { apiVersion }) => {
    const isNamed =
      softwareName.test(request.clientSoftwareName) &&
      softwareName.test(request.clientSoftwareVersion)
    const error = apiVersion >= 3 && !isNamed ? kafkaErrors.INVALID_REQUEST : kafkaErrors.NONE
    return {
      errorCode: error.code,
      apiKeys: error === kafkaErrors.NONE ? apiKeys : [],
      throttleTimeMs: 0,
      supportedFeatures: features,
      finalizedFeaturesEpoch: metadata.lastIndex,
      finalizedFeatures: features.flatMap(({ name }) => {
        const level = metadata.image.features.get(name)
        return level === undefined ? [] : [{ name, maxVersionLevel: level, minVersionLevel: level }]
      }),
      zkMigrationReady: false,
    }
  })
}
