import { expect, it } from 'vitest'
import { emptyImage } from './image.ts'
import { imageRecords, restoreImage } from './image-records.ts'
import { decodeMetadataRecords, encodeMetadataRecords, type MetadataRecord } from './records.ts'
import { replay } from './replay.ts'

const id = (letter: string) => `${letter.repeat(21)}A`

const history: MetadataRecord[] = [
  { type: 'cluster', clusterId: 'c' },
  { type: 'feature', name: 'metadata.version', level: 29 },
  {
    type: 'broker',
    nodeId: 1,
    brokerEpoch: 4n,
    incarnationId: id('i'),
    rack: 'r1',
    endpoints: [{ listener: 'PLAINTEXT', host: 'localhost', port: 9092 }],
    directories: [id('d')],
  },
  { type: 'topic', topicId: id('g'), name: 'gone' },
  { type: 'topic', topicId: id('t'), name: 'orders' },
  {
    type: 'partition',
    topicId: id('t'),
    partition: 0,
    replicas: [1],
    directories: [id('d')],
    isr: [1],
    leader: 1,
    leaderEpoch: 3,
    partitionEpoch: 5,
  },
  { type: 'config', resourceType: 2, resourceName: 'orders', name: 'retention.ms', value: '7' },
  { type: 'config', resourceType: 2, resourceName: 'gone', name: 'retention.ms', value: '8' },
  { type: 'removeTopic', topicId: id('g') },
  { type: 'producerIds', nextProducerId: 5_000n },
]

it('a snapshot makes the same image, in place of whatever was there', () => {
  const image = emptyImage()
  for (const record of history) replay(image, record)
  const bytes = encodeMetadataRecords(imageRecords(image))
  const other = emptyImage()
  replay(other, { type: 'topic', topicId: id('x'), name: 'stale' })
  replay(other, { type: 'config', resourceType: 2, resourceName: 'stale', name: 'a', value: 'b' })
  const { topics } = other
  restoreImage(other, decodeMetadataRecords(bytes))
  expect(other).toEqual(image)
  expect(other.topics).toBe(topics)
})
