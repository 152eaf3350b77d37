/** Questions about reading: bounds, sessions, epochs, long polls. */
import { zeroTopicId } from '@naru/model'
import { apis, type RequestOf } from '@naru/protocol'
import { type Asked, answered, type Questions } from '../../support/asked.ts'
import type { ComparableOptions } from '../../support/comparable.ts'
import { batch, fetch, type Read } from '../../support/requests.ts'

type Fields = Partial<RequestOf<typeof apis.fetch>>

const strangeId = 'AAAAAAAAAAAAAAAAAAAAEA'
const ordered = { isOrdered: true }
/** Longer than anybody waits for an answer here: what is answered did not wait for its time to be over. */
const waitMs = 100_000

/** Asks to read; `version` 12 is the last one that names topics. */
function reading(asked: Asked, version = 12) {
  return (reads: readonly Read[], fields: Fields = {}) =>
    asked.ask(apis.fetch, version, fetch(reads, fields), ordered)
}

/** A topic with three batches of two records in each partition. */
async function filled(asked: Asked, topic: string, partitions = 1): Promise<string> {
  const topicId = await asked.make(topic, { numPartitions: partitions })
  for (let partition = 0; partition < partitions; partition++) {
    for (const values of [
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ]) {
      await asked.write(topic, batch(values), partition)
    }
  }
  return topicId
}

/** Requests of one session, with the id that the broker gave. */
async function session(asked: Asked, version: number, first: readonly Read[], fields: Fields = {}) {
  const opened = answered(
    await asked.client.ask(
      apis.fetch,
      version,
      fetch(first, { sessionId: 0, sessionEpoch: 0, ...fields }),
    ),
  )
  const { sessionId } = opened
  const next = (
    sessionEpoch: number,
    reads: readonly Read[],
    more: Fields = {},
    options: ComparableOptions = ordered,
  ) =>
    asked.ask(
      apis.fetch,
      version,
      fetch(reads, { sessionId, sessionEpoch, ...fields, ...more }),
      options,
    )
  return { opened: asked.comparable(opened, ordered), sessionId, next }
}

export const fetchQuestions: Questions = {
  'Fetch: every version': async (asked) => {
    const topicId = await filled(asked, 'f.versions')
    const versions = Array.from({ length: 15 }, (_, index) => index + 4)
    const answers = await asked.atVersions(
      apis.fetch,
      fetch([{ topic: 'f.versions', topicId, fetchOffset: 2n }]),
      { versions, ...ordered },
    )
    const committed = await asked.atVersions(
      apis.fetch,
      fetch([{ topic: 'f.versions', topicId, fetchOffset: 2n }], { isolationLevel: 1 }),
      { versions: [4, 11, 18], ...ordered },
    )
    return { ...answers, committed }
  },

  'Fetch: offsets': async (asked) => {
    await filled(asked, 'f.offsets')
    await asked.make('f.empty')
    const at = (fetchOffset: bigint, topic = 'f.offsets') =>
      reading(asked)([{ topic, fetchOffset }])
    return {
      'the middle of a batch': await at(3n),
      'the end': await at(6n),
      'beyond the end': await at(7n),
      negative: await at(-1n),
      'minus two': await at(-2n),
      'an empty log': await at(0n, 'f.empty'),
      'beyond an empty log': await at(1n, 'f.empty'),
      'beyond the end, read_committed': await reading(asked)(
        [{ topic: 'f.offsets', fetchOffset: 7n }],
        { isolationLevel: 1 },
      ),
    }
  },

  'Fetch: unknown partitions, topics and ids': async (asked) => {
    const topicId = await filled(asked, 'f.known')
    const byId = reading(asked, 13)
    return {
      'a topic': await asked.atVersions(apis.fetch, fetch([{ topic: 'f.none' }]), {
        versions: [4, 7, 12],
      }),
      'an invalid topic': await reading(asked)([{ topic: 'not good' }]),
      'a partition': await reading(asked)([{ topic: 'f.known', partition: 3 }]),
      'a negative partition': await reading(asked)([{ topic: 'f.known', partition: -1 }]),
      'an id': await byId([{ topicId: strangeId }]),
      'no id': await byId([{ topicId: zeroTopicId }]),
      'a partition of an id': await byId([{ topicId, partition: 3 }]),
      'known and unknown': await asked.ask(
        apis.fetch,
        13,
        fetch([{ topicId: strangeId }, { topicId }]),
      ),
      nothing: await reading(asked)([], { maxWaitMs: waitMs }),
      'a partition twice': await reading(asked)([
        { topic: 'f.known', fetchOffset: 2n },
        { topic: 'f.known', fetchOffset: 4n },
      ]),
    }
  },

  'Fetch: bytes': async (asked) => {
    await filled(asked, 'f.bytes', 2)
    const both = (partitionMaxBytes: number) => [
      { topic: 'f.bytes', partition: 0, partitionMaxBytes },
      { topic: 'f.bytes', partition: 1, partitionMaxBytes },
    ]
    const size = batch(['a', 'b']).length
    return {
      'none for the answer': await reading(asked)(both(1_000), { maxBytes: 0 }),
      'one for the answer': await reading(asked)(both(1_000), { maxBytes: 1 }),
      'none for a partition': await reading(asked)(both(0)),
      'one for a partition': await reading(asked)(both(1)),
      'one batch for a partition': await reading(asked)(both(size)),
      'three batches for the answer': await reading(asked)(both(3 * size), { maxBytes: 3 * size }),
      'four batches for the answer': await reading(asked)(both(3 * size), { maxBytes: 4 * size }),
      'the first partition at its end': await reading(asked)(
        [
          { topic: 'f.bytes', partition: 0, fetchOffset: 6n },
          { topic: 'f.bytes', partition: 1, partitionMaxBytes: 1 },
        ],
        { maxBytes: 1 },
      ),
    }
  },

  'Fetch: long polls': async (asked) => {
    await filled(asked, 'f.poll')
    const end = { topic: 'f.poll', fetchOffset: 6n }
    const waits = { maxWaitMs: waitMs, minBytes: 1 }
    await using poller = asked.connect()
    await poller.send(apis.fetch, 12, fetch([end], waits))
    await asked.write('f.poll', batch(['g', 'h']))
    const woken = asked.comparable(await poller.answer(apis.fetch, 12), ordered)
    return {
      woken,
      'over in a moment': await reading(asked)([{ ...end, fetchOffset: 8n }], { maxWaitMs: 50 }),
      'no bytes wanted': await reading(asked)([{ ...end, fetchOffset: 8n }], {
        maxWaitMs: waitMs,
        minBytes: 0,
      }),
      'an error does not wait': await reading(asked)([{ ...end, fetchOffset: 99n }], waits),
      'an unknown topic does not wait': await reading(asked)([{ topic: 'f.none' }], waits),
      'more wanted than the answer may hold': await reading(asked)([{ ...end, fetchOffset: 0n }], {
        maxWaitMs: waitMs,
        minBytes: 1_000_000,
        maxBytes: 100,
      }),
    }
  },

  'Fetch: leader epochs': async (asked) => {
    const topicId = await filled(asked, 'f.epochs')
    const at = (fields: Read, version = 12) =>
      reading(asked, version)([{ topic: 'f.epochs', topicId, ...fields }])
    return {
      current: await at({ currentLeaderEpoch: 0 }),
      newer: await at({ currentLeaderEpoch: 5 }),
      older: await at({ currentLeaderEpoch: -2 }),
      'older in version 16': await at({ currentLeaderEpoch: -2 }, 16),
      'newer in version 16': await at({ currentLeaderEpoch: 5 }, 16),
      'last fetched': await at({ lastFetchedEpoch: 0, fetchOffset: 2n }),
      'last fetched beyond the end': await at({ lastFetchedEpoch: 0, fetchOffset: 9n }),
      'last fetched in a future epoch': await at({ lastFetchedEpoch: 4, fetchOffset: 2n }),
      'last fetched below the start': await at({ lastFetchedEpoch: 0, fetchOffset: -5n }),
    }
  },

  'Fetch: a session that goes on': async (asked) => {
    const topicId = await filled(asked, 'f.session', 2)
    const names = [0, 1].map((partition) => ({ topic: 'f.session', topicId, partition }))
    const answers: { [what: string]: unknown } = {}
    for (const version of [7, 12, 13, 18]) {
      const [first, second] = names as [Read, Read]
      const { opened, next } = await session(asked, version, names)
      const forget = [{ topic: 'f.session', topicId, partitions: [1] }]
      answers[`version ${version}`] = {
        opened,
        'the same again': await next(1, []),
        'at the end': await next(
          2,
          names.map((each) => ({ ...each, fetchOffset: 6n })),
        ),
        'nothing new': await next(3, []),
        'one goes back': await next(4, [{ ...second, fetchOffset: 4n }]),
        'one is forgotten': await next(5, [], { forgottenTopicsData: forget }),
        'it comes back': await next(6, [{ ...second, fetchOffset: 4n }]),
        'an unknown partition': await next(7, [{ ...first, partition: 9 }]),
        'still unknown': await next(8, [], {}, { unordered: 'partitions' }),
      }
    }
    return answers
  },

  'Fetch: sessions that are refused or end': async (asked) => {
    const topicId = await filled(asked, 'f.ends')
    const one = [{ topic: 'f.ends', topicId, fetchOffset: 4n }]
    const left = [{ topic: 'f.ends', topicId, partitions: [0] }]
    const ask = (version: number, sessionId: number, sessionEpoch: number) =>
      asked.ask(apis.fetch, version, fetch(one, { sessionId, sessionEpoch }), ordered)
    const { sessionId, next } = await session(asked, 12, one)
    const answers = {
      'an unknown id': await ask(12, 123_456, 1),
      'an epoch without an id': await ask(12, 0, 1),
      'a wrong epoch': await next(7, []),
      'the right epoch after it': await next(1, []),
      'an old epoch': await next(1, []),
      'with topic ids': await ask(13, sessionId, 2),
      'with topic ids and a wrong epoch': await ask(13, sessionId, 9),
      'the final epoch': await ask(12, sessionId, -1),
      'after the end': await ask(12, sessionId, 2),
      'an end of nothing': await ask(12, 99, -1),
    }
    const replaced = await session(asked, 12, one)
    const emptied = await session(asked, 12, one)
    const nothing = await session(asked, 12, [])
    return {
      ...answers,
      'a new one replaces it': await ask(12, replaced.sessionId, 0),
      'the replaced one': await replaced.next(1, []),
      'all partitions are forgotten': await emptied.next(1, [], { forgottenTopicsData: left }),
      'after all were forgotten': await emptied.next(2, one),
      'a session of nothing': nothing.opened,
      'and what follows it': await nothing.next(1, one),
    }
  },

  'Fetch: a session gives every partition its turn': async (asked) => {
    const topicId = await filled(asked, 'f.turns', 3)
    const all = [0, 1, 2].map((partition) => ({ topic: 'f.turns', topicId, partition }))
    const { opened, next } = await session(asked, 13, all, { maxBytes: 1 })
    const answers: { [what: string]: unknown } = { opened }
    for (let epoch = 1; epoch < 6; epoch++) answers[`turn ${epoch}`] = await next(epoch, [])
    return answers
  },

  'Fetch: a session with unknown topic ids': async (asked) => {
    const topicId = await filled(asked, 'f.ids')
    const ids = asked.comparable([{ topicId }, { topicId: strangeId }])
    const { sessionId, next } = await session(asked, 13, [{ topicId: strangeId }, { topicId }])
    return {
      ids,
      hasSession: sessionId !== 0,
      again: await next(1, [], {}, { isOrdered: false }),
    }
  },
}
