/** Questions about the cluster, the versions and the frames themselves. */
import { zeroTopicId } from '@naru/model'
import { apis } from '@naru/protocol'
import type { Asked, Questions } from '../../support/asked.ts'
import { batch, metadata } from '../../support/requests.ts'

const software = { clientSoftwareName: 'wire', clientSoftwareVersion: '1.0' }

export const clusterQuestions: Questions = {
  'ApiVersions: the APIs that we have, in every version': async (asked) => {
    const ours = new Set(Object.values(apis).map((api) => api.key))
    const versions = [0, 1, 2, 3, 4]
    const answers = await asked.atVersions(apis.apiVersions, software, { versions })
    for (const answer of Object.values(answers) as { apiKeys: { apiKey: number }[] }[]) {
      answer.apiKeys = answer.apiKeys.filter(({ apiKey }) => ours.has(apiKey))
    }
    return answers
  },

  'ApiVersions: refused names and versions': async (asked) => {
    const named = (name: string, version: string) => ({
      clientSoftwareName: name,
      clientSoftwareVersion: version,
    })
    const header = (version: number) => {
      const frame = Buffer.alloc(11)
      frame.writeInt16BE(18, 0)
      frame.writeInt16BE(version, 2)
      frame.writeInt32BE(7, 4)
      frame.writeInt16BE(-1, 8)
      return frame
    }
    await asked.client.sendFrame(header(99))
    const unknown = await asked.client.nextFrame()
    return {
      'no name': await asked.ask(apis.apiVersions, 3, named('', '1')),
      'a name with a space': await asked.ask(apis.apiVersions, 4, named('a b', '1')),
      'a version that ends with a dot': await asked.ask(apis.apiVersions, 3, named('a', '1.')),
      'version 99': typeof unknown === 'string' ? unknown : unknown.toString('hex'),
    }
  },

  'frames: what closes the connection': async (asked) => {
    const frame = (key: number, version: number, body: readonly number[] = []) => {
      const bytes = Buffer.alloc(10)
      bytes.writeInt16BE(key, 0)
      bytes.writeInt16BE(version, 2)
      bytes.writeInt32BE(1, 4)
      bytes.writeInt16BE(-1, 8)
      return Buffer.concat([bytes, Buffer.from(body)])
    }
    const after = async (bytes: Buffer) => {
      await using client = asked.connect()
      await client.sendBytes(bytes)
      const answer = await client.nextFrame()
      return typeof answer === 'string' ? answer : 'answered'
    }
    const framed = (bytes: Buffer) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    }
    const noTopics = [0, 0, 0, 0]
    return {
      'an unknown API key': await after(framed(frame(999, 0))),
      'an API of controllers': await after(framed(frame(52, 0))),
      'a version that is too high': await after(framed(frame(3, 99, noTopics))),
      'a version that is too low': await after(framed(frame(1, 0, noTopics))),
      'Produce version 0': await after(framed(frame(0, 0, [0, 1, 0, 0, 0, 1, 0, 0, 0, 0]))),
      'Produce version 2': await after(framed(frame(0, 2, [0, 1, 0, 0, 0, 1, 0, 0, 0, 0]))),
      'a body that is cut off': await after(framed(frame(3, 1, [0, 0]))),
      'bytes behind the body': await after(framed(frame(3, 1, [...noTopics, 9, 9]))),
      'an empty frame': await after(Buffer.from([0, 0, 0, 0])),
      'a negative length': await after(Buffer.from([0xff, 0xff, 0xff, 0xff])),
      'a frame above socket.request.max.bytes': await after(Buffer.from([0x06, 0x40, 0, 1])),
      'an answer before a bad frame': await after(
        Buffer.concat([framed(frame(3, 1, noTopics)), framed(frame(999, 0))]),
      ),
    }
  },

  'requests of one connection are answered in order': async (asked) => {
    await using client = asked.connect()
    const request = metadata([])
    for (let i = 0; i < 5; i++) await client.send(apis.metadata, 1, request)
    const ids: number[] = []
    for (let i = 0; i < 5; i++) {
      const frame = await client.nextFrame()
      ids.push(typeof frame === 'string' ? -1 : frame.readInt32BE(0))
    }
    return { ids }
  },

  'Metadata: known, unknown, invalid, none, twice': async (asked) => {
    await asked.make('m.known', { numPartitions: 2 })
    const known = await asked.idOf('m.known')
    const withOperations = metadata(['m.known', 'm.unknown'], {
      includeClusterAuthorizedOperations: true,
      includeTopicAuthorizedOperations: true,
    })
    const byId = (name: string | null, topicId: string) =>
      metadata(null, { topics: [{ name, topicId }] })
    const strange = 'AAAAAAAAAAAAAAAAAAAAEA'
    const names = ['m.unknown', 'a b', '', '.', '..', 'x'.repeat(249), 'x'.repeat(250)]
    const versions = Array.from({ length: 14 }, (_, version) => version)
    return {
      known: await asked.atVersions(apis.metadata, metadata(['m.known']), { versions }),
      'no topics': await asked.atVersions(apis.metadata, metadata([]), { versions: [1, 12, 13] }),
      'all topics': await allTopics(asked),
      'unknown and invalid': await asked.atVersions(apis.metadata, metadata(names), {
        versions: [4, 13],
      }),
      twice: await asked.ask(apis.metadata, 12, metadata(['m.known', 'm.known', 'm.unknown'])),
      operations: await asked.atVersions(apis.metadata, withOperations, {
        versions: [8, 10, 11, 13],
      }),
      'by id': await asked.ask(apis.metadata, 12, byId(null, known)),
      'by an unknown id': await asked.ask(apis.metadata, 12, byId(null, strange)),
      'by name and id': await asked.ask(apis.metadata, 12, byId('m.other', known)),
      'by neither': await asked.ask(apis.metadata, 12, byId(null, zeroTopicId)),
      'by id before version 12': await asked.atVersions(apis.metadata, byId('m.known', known), {
        versions: [10, 11],
      }),
      'by a null name before version 12': await asked.ask(
        apis.metadata,
        11,
        byId(null, zeroTopicId),
      ),
      'known and unknown id': await asked.ask(
        apis.metadata,
        12,
        metadata(null, {
          topics: [
            { name: null, topicId: known },
            { name: null, topicId: strange },
          ],
        }),
      ),
    }
  },

  'Metadata: auto-creation': async (asked) => {
    const asking = (names: string[], allowAutoTopicCreation: boolean) =>
      metadata(names, { allowAutoTopicCreation })
    const refused = await asked.ask(apis.metadata, 4, asking(['auto.refused'], false))
    await asked.ask(apis.metadata, 4, asking(['auto.made'], true))
    await asked.usable('auto.made', 1)
    return {
      'refused by the request': refused,
      'still not there': await asked.ask(apis.metadata, 4, asking(['auto.refused'], false)),
      'there a moment later': await asked.ask(apis.metadata, 4, asking(['auto.made'], false)),
      'an invalid name': await asked.ask(apis.metadata, 4, asking(['not good'], true)),
      'a name that collides': await asked.ask(apis.metadata, 4, asking(['auto_made'], true)),
    }
  },

  DescribeCluster: async (asked) => {
    const asking = (endpointType: number, includeClusterAuthorizedOperations = false) => ({
      includeClusterAuthorizedOperations,
      endpointType,
      includeFencedBrokers: true,
    })
    return {
      brokers: await asked.atVersions(apis.describeCluster, asking(1)),
      operations: await asked.ask(apis.describeCluster, 0, asking(1, true)),
      controllers: await asked.ask(apis.describeCluster, 1, asking(2)),
      'an unknown type': await asked.ask(apis.describeCluster, 2, asking(3)),
    }
  },

  'DescribeTopicPartitions: pages': async (asked) => {
    await asked.make('dtp.a', { numPartitions: 3 })
    await asked.make('dtp.b', { numPartitions: 2 })
    const ask = (
      names: string[],
      responsePartitionLimit: number,
      cursor: { topicName: string; partitionIndex: number } | null = null,
    ) => {
      const topics = names.map((name) => ({ name }))
      const request = { topics, responsePartitionLimit, cursor }
      return asked.ask(apis.describeTopicPartitions, 0, request, { isOrdered: true })
    }
    const at = (topicName: string, partitionIndex: number) => ({ topicName, partitionIndex })
    const both = ['dtp.b', 'dtp.a']
    return {
      all: await ask(both, 100),
      'two partitions': await ask(both, 2),
      'three partitions': await ask(both, 3),
      'no partitions': await ask(both, 0),
      'a negative limit': await ask(both, -5),
      'from a cursor': await ask(both, 100, at('dtp.a', 2)),
      'from a cursor behind the last partition': await ask(both, 100, at('dtp.a', 3)),
      'from the second topic': await ask(both, 1, at('dtp.b', 1)),
      'a cursor that names another topic': await ask(['dtp.a'], 100, at('dtp.b', 0)),
      'a cursor before all': await ask(both, 100, at('a', 0)),
      'a negative cursor': await ask(both, 100, at('dtp.a', -1)),
      'unknown and invalid': await ask(['dtp.a', 'dtp.none', 'not good', 'dtp.a'], 100),
    }
  },

  'DescribeLogDirs: null, empty, some': async (asked) => {
    await asked.make('dirs', { numPartitions: 2 })
    await asked.write('dirs', batch(['one', 'two']))
    const ask = (topics: { topic: string; partitions: number[] }[] | null, version = 4) =>
      asked.ask(apis.describeLogDirs, version, { topics }, { unordered: 'partitions' })
    const all = (await ask(null)) as { results: { topics: { name: string }[] }[] }
    const some = [{ topic: 'dirs', partitions: [0, 1, 7] }]
    return {
      all: all.results.map(({ topics }) => topics.filter(({ name }) => name === 'dirs')),
      'version 1': await ask(some, 1),
      'version 2': await ask(some, 2),
      'version 3': await ask(some, 3),
      'version 4': await ask(some, 4),
      'no topics': await ask([]),
      'no partitions': await ask([{ topic: 'dirs', partitions: [] }]),
      unknown: await ask([{ topic: 'no.such', partitions: [0] }]),
    }
  },

  ListConfigResources: async (asked) => {
    await asked.make('listed')
    const ask = async (version: number, resourceTypes: number[]) => {
      const answer = (await asked.ask(apis.listConfigResources, version, { resourceTypes })) as {
        configResources: { resourceName: string; resourceType: number }[]
      }
      // Other questions made other topics.
      answer.configResources = answer.configResources.filter(
        ({ resourceName, resourceType }) => resourceType !== 2 || resourceName === 'listed',
      )
      return answer
    }
    return {
      'version 0': await ask(0, []),
      all: await ask(1, []),
      topics: await ask(1, [2]),
      brokers: await ask(1, [4]),
      loggers: await ask(1, [8]),
      'client metrics': await ask(1, [16]),
      groups: await ask(1, [32]),
      'an unknown type': await ask(1, [3]),
      'known and unknown types': await ask(1, [2, 64]),
      'a type twice': await ask(1, [4, 4]),
    }
  },

  InitProducerId: async (asked) => {
    const asking = (fields: { producerId?: bigint; producerEpoch?: number } = {}) => ({
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      producerId: -1n,
      producerEpoch: -1,
      ...fields,
    })
    // Kafka's broker fetches its first ids when it is first asked.
    await asked.until('there are ids', async () => {
      const { errorCode } = await asked.exact(apis.initProducerId, 4, asking())
      return errorCode === 0 ? true : undefined
    })
    return {
      new: await asked.atVersions(apis.initProducerId, asking(), {
        versions: [0, 1, 2, 3, 4, 5],
      }),
      'with an id only': await asked.ask(apis.initProducerId, 4, asking({ producerId: 5n })),
      'with an epoch only': await asked.ask(apis.initProducerId, 4, asking({ producerEpoch: 5 })),
      'with both': await asked.ask(
        apis.initProducerId,
        4,
        asking({ producerId: 5n, producerEpoch: 5 }),
      ),
    }
  },

  'DescribeProducers: active, unknown, invalid': async (asked) => {
    await asked.make('producers', { numPartitions: 2 })
    const producerId = (
      await asked.exact(apis.initProducerId, 4, {
        transactionalId: null,
        transactionTimeoutMs: 0,
        producerId: -1n,
        producerEpoch: -1,
      })
    ).producerId
    const options = { producerId, producerEpoch: 0, baseSequence: 0 }
    await asked.write('producers', batch(['one', 'two'], options))
    const topics = [
      { name: 'producers', partitionIndexes: [0, 1, 9] },
      { name: 'no.such', partitionIndexes: [0] },
      { name: 'not good', partitionIndexes: [0] },
    ]
    return { answer: await asked.ask(apis.describeProducers, 0, { topics }) }
  },
}

/** No names in version 0, null in the others; only what this file made is looked at. */
async function allTopics(asked: Asked): Promise<unknown> {
  const names: { [version: string]: unknown } = {}
  for (const version of [0, 1, 8, 13]) {
    const request = metadata(version === 0 ? [] : null)
    const { topics } = await asked.exact(apis.metadata, version, request)
    names[`version ${version}`] = topics
      .filter(({ name }) => name?.startsWith('m.'))
      .map(({ name }) => name)
  }
  return names
}
