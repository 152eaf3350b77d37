/** Questions about where offsets, times and epochs lie, and about the deletion of records. */
import { apis } from '@naru/protocol'
import { encodeBatch } from '@naru/records'
import type { Asked, Questions } from '../../support/asked.ts'
import { baseMs, batch, fetch, listOffsets, record } from '../../support/requests.ts'

/** Batches whose timestamps do not rise: 10 5, 30 20, 30 25, 15. */
async function filled(asked: Asked, topic: string, compression: 'none' | 'gzip' = 'none') {
  await asked.make(topic)
  for (const times of [[10n, 5n], [30n, 20n], [30n, 25n], [15n]]) {
    const records = times.map((time) => record('x', { timestamp: baseMs + time }))
    await asked.write(topic, encodeBatch(records, { compression }))
  }
}

const named = {
  latest: -1n,
  earliest: -2n,
  'max timestamp': -3n,
  'earliest local': -4n,
  'latest tiered': -5n,
  'earliest pending upload': -6n,
  'no such meaning': -7n,
}

async function all(asked: Asked, topic: string, version = 11) {
  const answers: { [what: string]: unknown } = {}
  for (const [what, timestamp] of Object.entries(named)) {
    answers[what] = await asked.ask(apis.listOffsets, version, listOffsets(topic, [{ timestamp }]))
  }
  return answers
}

/** The offset that is found for each time after the base. */
async function times(asked: Asked, topic: string) {
  const found: { [time: string]: unknown } = {}
  for (const time of [-1_000n, 5n, 6n, 10n, 11n, 20n, 26n, 30n, 31n, 100_000n]) {
    const request = listOffsets(topic, [{ timestamp: baseMs + time }])
    found[`time ${time}`] = await asked.ask(apis.listOffsets, 5, request)
  }
  return found
}

function deletion(topic: string, offset: bigint, partition = 0) {
  const partitions = [{ partitionIndex: partition, offset }]
  return { topics: [{ name: topic, partitions }], timeoutMs: 10_000 }
}

export const offsetQuestions: Questions = {
  'ListOffsets: every version': async (asked) => {
    await filled(asked, 'lo.versions')
    const versions = Array.from({ length: 11 }, (_, index) => index + 1)
    const request = (timestamp: bigint, isolation = 0) =>
      listOffsets('lo.versions', [{ timestamp }], isolation)
    return {
      latest: await asked.atVersions(apis.listOffsets, request(-1n), { versions }),
      committed: await asked.atVersions(apis.listOffsets, request(-1n, 1), { versions }),
      earliest: await asked.atVersions(apis.listOffsets, request(-2n), { versions }),
      'max timestamp': await asked.atVersions(apis.listOffsets, request(-3n), { versions }),
      'earliest local': await asked.atVersions(apis.listOffsets, request(-4n), { versions }),
      'latest tiered': await asked.atVersions(apis.listOffsets, request(-5n), { versions }),
      'earliest pending': await asked.atVersions(apis.listOffsets, request(-6n), { versions }),
    }
  },

  'ListOffsets: special and other times': async (asked) => {
    await filled(asked, 'lo.times')
    await filled(asked, 'lo.gzip', 'gzip')
    await asked.make('lo.empty')
    await asked.make('lo.append', { configs: { 'message.timestamp.type': 'LogAppendTime' } })
    await asked.write('lo.append', batch(['a', 'b']))
    return {
      plain: { ...(await all(asked, 'lo.times')), ...(await times(asked, 'lo.times')) },
      compressed: { ...(await all(asked, 'lo.gzip')), ...(await times(asked, 'lo.gzip')) },
      empty: { ...(await all(asked, 'lo.empty')), ...(await times(asked, 'lo.empty')) },
      'LogAppendTime, largest': await asked.ask(
        apis.listOffsets,
        11,
        listOffsets('lo.append', [{ timestamp: -3n }]),
      ),
      'LogAppendTime, a time': await asked.ask(
        apis.listOffsets,
        11,
        listOffsets('lo.append', [{ timestamp: baseMs }]),
      ),
    }
  },

  'ListOffsets: unknown, twice, fenced': async (asked) => {
    await filled(asked, 'lo.known')
    const ask = (topic: string, asking: Parameters<typeof listOffsets>[1]) =>
      asked.ask(apis.listOffsets, 7, listOffsets(topic, asking), { isOrdered: true })
    const timestamp = -1n
    return {
      'a topic': await ask('lo.none', [{ timestamp }]),
      'an invalid topic': await ask('not good', [{ timestamp }]),
      'a partition': await ask('lo.known', [{ timestamp, partitionIndex: 4 }]),
      'a negative partition': await ask('lo.known', [{ timestamp, partitionIndex: -1 }]),
      'the current epoch': await ask('lo.known', [{ timestamp, currentLeaderEpoch: 0 }]),
      'a newer epoch': await ask('lo.known', [{ timestamp, currentLeaderEpoch: 3 }]),
      'an older epoch': await ask('lo.known', [{ timestamp, currentLeaderEpoch: -2 }]),
      'a partition twice': await ask('lo.known', [{ timestamp }, { timestamp: -2n }]),
    }
  },

  OffsetForLeaderEpoch: async (asked) => {
    await filled(asked, 'epochs')
    await asked.make('epochs.empty')
    const ask = (
      topic: string,
      fields: { leaderEpoch: number; currentLeaderEpoch?: number; partition?: number },
      version = 4,
    ) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, ...fields }]
      const request = { replicaId: -1, topics: [{ topic, partitions }] }
      return asked.ask(apis.offsetForLeaderEpoch, version, request)
    }
    return {
      'version 2': await ask('epochs', { leaderEpoch: 0 }, 2),
      'version 3': await ask('epochs', { leaderEpoch: 0 }, 3),
      'version 4': await ask('epochs', { leaderEpoch: 0 }),
      'a future epoch': await ask('epochs', { leaderEpoch: 5 }),
      'no epoch': await ask('epochs', { leaderEpoch: -1 }),
      'a negative epoch': await ask('epochs', { leaderEpoch: -3 }),
      'an empty log': await ask('epochs.empty', { leaderEpoch: 0 }),
      'a future epoch of an empty log': await ask('epochs.empty', { leaderEpoch: 2 }),
      'a current epoch': await ask('epochs', { leaderEpoch: 0, currentLeaderEpoch: 0 }),
      'a newer current epoch': await ask('epochs', { leaderEpoch: 0, currentLeaderEpoch: 2 }),
      'an older current epoch': await ask('epochs', { leaderEpoch: 0, currentLeaderEpoch: -2 }),
      'an unknown topic': await ask('epochs.none', { leaderEpoch: 0 }),
      'an unknown partition': await ask('epochs', { leaderEpoch: 0, partition: 8 }),
    }
  },

  'DeleteRecords: offsets, and what is left': async (asked) => {
    await filled(asked, 'dr')
    await asked.make('dr.empty')
    await asked.make('dr.kept', { configs: { 'cleanup.policy': '' } })
    await asked.write('dr.kept', batch(['a', 'b']))
    const remove = (topic: string, offset: bigint, partition = 0) =>
      asked.ask(apis.deleteRecords, 2, deletion(topic, offset, partition))
    const read = (fetchOffset: bigint) =>
      asked.ask(apis.fetch, 12, fetch([{ topic: 'dr', fetchOffset }]), { isOrdered: true })
    return {
      'beyond the end': await remove('dr', 8n),
      'minus two': await remove('dr', -2n),
      'at the start': await remove('dr', 0n),
      'in the middle of a batch': await remove('dr', 3n),
      'below the start': await remove('dr', 1n),
      'version 0': await asked.ask(apis.deleteRecords, 0, deletion('dr', 3n)),
      'version 1': await asked.ask(apis.deleteRecords, 1, deletion('dr', 3n)),
      'offsets after it': await all(asked, 'dr'),
      'times after it': await times(asked, 'dr'),
      'read at the start': await read(3n),
      'read below the start': await read(2n),
      'all of it': await remove('dr', -1n),
      'offsets after all': await all(asked, 'dr'),
      'times after all': await times(asked, 'dr'),
      'read at the end': await read(7n),
      'all of nothing': await remove('dr.empty', -1n),
      'beyond nothing': await remove('dr.empty', 1n),
      'a topic that keeps everything': await remove('dr.kept', 1n),
      'an unknown topic': await remove('dr.none', 0n),
      'an unknown partition': await remove('dr', 0n, 5),
      'an invalid topic': await remove('not good', 0n),
    }
  },
}
