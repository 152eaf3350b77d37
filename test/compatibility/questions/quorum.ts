/** Questions about the quorum that are refused for what they say, whoever the voters are. */
import { zeroTopicId } from '@naru/model'
import { apis } from '@naru/protocol'
import type { Answers, Questions } from '../../support/asked.ts'

const strange = 'AAAAAAAAAAAAAAAAAAAAEA'
const versions = [0, 1, 2]

type Named = readonly [topicName: string, ...partitions: number[]]

/** Name by name: a log of the metadata beside anything else is no log of the metadata. */
const notTheQuorum: { readonly [what: string]: readonly Named[] } = {
  'no topics': [],
  'another topic': [['other', 0]],
  'another partition': [['__cluster_metadata', 1]],
  'more partitions': [['__cluster_metadata', 0, 1]],
  'no partitions': [['__cluster_metadata']],
  'another topic beside it': [
    ['__cluster_metadata', 0],
    ['other', 0, 3],
  ],
  'it twice': [
    ['__cluster_metadata', 0],
    ['__cluster_metadata', 0],
  ],
}

const notAVoter: { readonly [what: string]: { clusterId?: string; id?: number; dir?: string } } = {
  'another cluster': { clusterId: strange },
  'an empty cluster id': { clusterId: '' },
  'a negative id': { id: -1 },
  'no directory': { dir: zeroTopicId },
  'another cluster and no directory': { clusterId: strange, dir: zeroTopicId },
}

export const quorumQuestions: Questions = {
  'DescribeQuorum: what is not the quorum': async (asked) => {
    const answers: Answers = {}
    for (const [what, named] of Object.entries(notTheQuorum)) {
      const topics = named.map(([topicName, ...partitions]) => {
        return { topicName, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }
      })
      const options = { versions, isOrdered: true }
      answers[what] = await asked.atVersions(apis.describeQuorum, { topics }, options)
    }
    return answers
  },

  'AddRaftVoter, RemoveRaftVoter: what cannot be a voter': async (asked) => {
    const answers: Answers = {}
    for (const [what, { clusterId = null, id = 4, dir = strange }] of Object.entries(notAVoter)) {
      const voter = { clusterId, voterId: id, voterDirectoryId: dir }
      const listeners = [{ name: 'CONTROLLER', host: 'localhost', port: 1 }]
      const adding = { ...voter, timeoutMs: 1_000, listeners, ackWhenCommitted: true }
      answers[`add ${what}`] = await asked.atVersions(apis.addRaftVoter, adding)
      answers[`remove ${what}`] = await asked.ask(apis.removeRaftVoter, 0, voter)
    }
    return answers
  },

  'UpdateFeatures: kinds that there are not': async (asked) => {
    const answers: Answers = {}
    for (const upgradeType of [-1, 0, 4]) {
      const update = { feature: 'metadata.version', maxVersionLevel: 20, allowDowngrade: false }
      const request = {
        timeoutMs: 5_000,
        featureUpdates: [{ ...update, upgradeType }],
        validateOnly: true,
      }
      answers[`kind ${upgradeType}`] = await asked.atVersions(apis.updateFeatures, request, {
        versions: [1, 2],
      })
    }
    return answers
  },

  'UpdateFeatures: unknown names and levels': async (asked) => {
    const answers: Answers = {}
    const update = (feature: string, maxVersionLevel: number) => {
      return { feature, maxVersionLevel, allowDowngrade: false, upgradeType: 1 }
    }
    const unknown = update('no.such.feature', 1)
    const wanted = {
      'an unknown feature': [unknown],
      'an unknown feature beside a known one': [update('metadata.version', 30), unknown],
      'a level that nobody supports': [update('metadata.version', 9_999)],
      'a negative level': [update('metadata.version', -1)],
    }
    for (const [what, featureUpdates] of Object.entries(wanted)) {
      const request = { timeoutMs: 5_000, featureUpdates, validateOnly: true }
      answers[what] = await asked.ask(apis.updateFeatures, 2, request)
    }
    return answers
  },

  'RemoveRaftVoter, UnregisterBroker: nobody of that id': async (asked) => {
    const voter = { clusterId: null, voterId: 7, voterDirectoryId: strange }
    return {
      'no such voter': await asked.ask(apis.removeRaftVoter, 0, voter),
      'another directory': await asked.ask(apis.removeRaftVoter, 0, { ...voter, voterId: 1 }),
      'no such broker': await asked.ask(apis.unregisterBroker, 0, { brokerId: 7 }),
    }
  },
}
