/** Questions about appending. */
import { zeroTopicId } from '@naru/model'
import { apis } from '@naru/protocol'
import { type BatchOptions, compress, encodeBatch } from '@naru/records'
import type { Asked, Questions } from '../../support/asked.ts'
import { baseMs, batch, changed, fetch, produce, record } from '../../support/requests.ts'

const at = { attributes: 21, lastOffsetDelta: 23, baseTimestamp: 27, maxTimestamp: 35, count: 57 }
const strangeId = 'AAAAAAAAAAAAAAAAAAAAEA'
const now = () => BigInt(Date.now())

/** Asks to append one batch to partition 0. */
function appending(asked: Asked, topic: string, version = 9) {
  return (records: Buffer | null) => asked.ask(apis.produce, version, produce([{ topic, records }]))
}

function stored(asked: Asked, topic: string, version = 12) {
  return asked.ask(apis.fetch, version, fetch([{ topic }]))
}

/** A batch whose header says a codec and whose records are something else. */
function labelled(codec: number, content: Buffer): Buffer {
  const header = batch(['x']).subarray(0, 61)
  const whole = Buffer.concat([header, content])
  return changed(whole, (bytes) => {
    bytes.writeInt32BE(bytes.length - 12, 8)
    bytes.writeInt16BE(codec, at.attributes)
  })
}

export const produceQuestions: Questions = {
  'Produce: every version, and what is stored': async (asked) => {
    const topicId = await asked.make('p.versions')
    const versions = Array.from({ length: 11 }, (_, index) => index + 3)
    const answers = await asked.atVersions(
      apis.produce,
      produce([{ topic: 'p.versions', topicId, records: batch(['one', 'two']) }]),
      { versions },
    )
    return { ...answers, stored: await stored(asked, 'p.versions') }
  },

  'Produce: unknown topics, ids and partitions': async (asked) => {
    const topicId = await asked.make('p.known')
    const records = batch(['one'])
    return {
      'a topic': await asked.atVersions(apis.produce, produce([{ topic: 'p.none', records }]), {
        versions: [3, 8, 12],
      }),
      'an invalid topic': await asked.ask(
        apis.produce,
        9,
        produce([{ topic: 'not good', records }]),
      ),
      'a partition': await asked.ask(
        apis.produce,
        9,
        produce([{ topic: 'p.known', partition: 5, records }]),
      ),
      'a negative partition': await asked.ask(
        apis.produce,
        9,
        produce([{ topic: 'p.known', partition: -1, records }]),
      ),
      'a topic id': await asked.ask(apis.produce, 13, produce([{ topicId: strangeId, records }])),
      'no topic id': await asked.ask(
        apis.produce,
        13,
        produce([{ topicId: zeroTopicId, records }]),
      ),
      'a partition of a topic id': await asked.ask(
        apis.produce,
        13,
        produce([{ topicId, partition: 5, records }]),
      ),
      'known and unknown': await asked.ask(
        apis.produce,
        9,
        produce([
          { topic: 'p.known', records },
          { topic: 'p.none', records },
        ]),
      ),
      nothing: await asked.ask(apis.produce, 9, produce([])),
    }
  },

  'Produce: acks': async (asked) => {
    await asked.make('p.acks')
    const ask = (acks: number, topic = 'p.acks') =>
      asked.ask(apis.produce, 9, produce([{ topic, records: batch(['one']) }], { acks }))
    const answers = {
      all: await ask(-1),
      leader: await ask(1),
      seven: await ask(7),
      'minus two': await ask(-2),
      'seven, and an unknown topic': await ask(7, 'p.none'),
    }
    await using silent = asked.connect()
    const records = batch(['one'])
    await silent.send(apis.produce, 9, produce([{ topic: 'p.acks', records }], { acks: 0 }))
    await silent.send(apis.produce, 9, produce([{ topic: 'p.acks', records }], { acks: 1 }))
    const next = asked.comparable(await silent.answer(apis.produce, 9))
    await silent.send(apis.produce, 9, produce([{ topic: 'p.none', records }], { acks: 0 }))
    const refused = await silent.nextFrame()
    return { ...answers, 'none, then the leader': next, 'none, and refused': refused }
  },

  'Produce: what is no batch': async (asked) => {
    await asked.make('p.broken')
    const append = appending(asked, 'p.broken')
    const good = batch(['one', 'two'])
    const damaged = Buffer.from(good)
    damaged[70] = (damaged[70] as number) ^ 1
    const tampered = (change: (bytes: Buffer) => void) => append(changed(good, change))
    return {
      empty: await append(Buffer.alloc(0)),
      'a few bytes': await append(good.subarray(0, 10)),
      'cut off in the header': await append(good.subarray(0, 40)),
      'cut off at the end': await append(good.subarray(0, good.length - 1)),
      'two batches': await append(Buffer.concat([good, good])),
      'a wrong checksum': await append(damaged),
      'magic 0': await tampered((bytes) => bytes.writeInt8(0, 16)),
      'magic 1': await tampered((bytes) => bytes.writeInt8(1, 16)),
      'magic 3': await tampered((bytes) => bytes.writeInt8(3, 16)),
      'magic -1': await tampered((bytes) => bytes.writeInt8(-1, 16)),
      'a tiny length': await tampered((bytes) => bytes.writeInt32BE(5, 8)),
      'a length below the header': await tampered((bytes) => bytes.writeInt32BE(30, 8)),
      'a negative length': await tampered((bytes) => bytes.writeInt32BE(-1, 8)),
      'a base offset': await tampered((bytes) => bytes.writeBigInt64BE(5n, 0)),
      'a leader epoch': await tampered((bytes) => bytes.writeInt32BE(5, 12)),
      'no records': await tampered((bytes) => {
        bytes.writeInt32BE(-1, at.lastOffsetDelta)
        bytes.writeInt32BE(0, at.count)
      }),
      'fewer counted': await tampered((bytes) => bytes.writeInt32BE(1, at.count)),
      'more counted': await tampered((bytes) => bytes.writeInt32BE(3, at.count)),
      'fewer said than there are': await tampered((bytes) => {
        bytes.writeInt32BE(0, at.lastOffsetDelta)
        bytes.writeInt32BE(1, at.count)
      }),
      'more said than there are': await tampered((bytes) => {
        bytes.writeInt32BE(2, at.lastOffsetDelta)
        bytes.writeInt32BE(3, at.count)
      }),
      'a record with a wrong length': await tampered((bytes) => {
        bytes[61] = (bytes[61] as number) + 2
      }),
      'a record with a wrong offset': await tampered((bytes) => {
        bytes[64] = 4
      }),
      'a control batch': await tampered((bytes) => bytes.writeInt16BE(32, at.attributes)),
      'a spare attribute bit': await tampered((bytes) => bytes.writeInt16BE(128, at.attributes)),
      'a delete horizon': await tampered((bytes) => bytes.writeInt16BE(64, at.attributes)),
      'a producer without a sequence': await append(batch(['one'], { producerId: 900n })),
      'version 3': await appending(asked, 'p.broken', 3)(Buffer.alloc(0)),
      stored: await stored(asked, 'p.broken'),
    }
  },

  'Produce: compression': async (asked) => {
    await asked.make('p.codecs')
    const append = appending(asked, 'p.codecs')
    const garbage = Buffer.from('this is not compressed at all')
    const zstd = batch(['one'], { compression: 'zstd' })
    const answers: { [what: string]: unknown } = {}
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      answers[compression] = await append(batch(['one', 'two'], { compression }))
      answers[`${compression} cut short`] = await append(
        labelled(
          ['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(compression),
          compress(compression, Buffer.alloc(200, 'x')).subarray(0, 12),
        ),
      )
      answers[`${compression} of no records`] = await append(
        labelled(
          ['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(compression),
          compress(compression, garbage),
        ),
      )
    }
    for (const codec of [1, 2, 3, 4]) {
      answers[`codec ${codec}, but garbage`] = await append(labelled(codec, garbage))
    }
    answers['codec 5'] = await append(labelled(5, garbage))
    answers['zstd in version 6'] = await appending(asked, 'p.codecs', 6)(zstd)
    answers['zstd in version 7'] = await appending(asked, 'p.codecs', 7)(zstd)
    answers['stored'] = await stored(asked, 'p.codecs')
    return answers
  },

  'Produce: a topic with a codec of its own': async (asked) => {
    await asked.make('p.gzip', { configs: { 'compression.type': 'gzip' } })
    await asked.make('p.plain', {
      configs: { 'compression.type': 'uncompressed', 'max.message.bytes': '2000' },
    })
    const bomb = encodeBatch([record('x'.repeat(5_000))], { compression: 'gzip' })
    const answers = {
      'zstd to gzip': await appending(asked, 'p.gzip')(batch(['one'], { compression: 'zstd' })),
      'none to gzip': await appending(asked, 'p.gzip')(batch(['one', 'two'])),
      'gzip to none': await appending(asked, 'p.plain')(batch(['one'], { compression: 'gzip' })),
      'gzip to none, then too large': await appending(asked, 'p.plain')(bomb),
    }
    return {
      ...answers,
      gzip: await stored(asked, 'p.gzip'),
      plain: await stored(asked, 'p.plain'),
    }
  },

  'Produce: sizes': async (asked) => {
    const limits = { 'max.message.bytes': '1000' }
    await asked.make('p.small', { configs: limits })
    await asked.make('p.segment', {
      configs: { 'segment.bytes': '1048576', 'max.message.bytes': '3000000' },
    })
    const sized = (bytes: number) => encodeBatch([record('x'.repeat(bytes))])
    const exactly = (bytes: number) => {
      const overhead = sized(bytes).length - bytes
      return sized(bytes - overhead)
    }
    return {
      'just fits': await appending(asked, 'p.small')(exactly(1_000)),
      'one byte more': await appending(asked, 'p.small')(exactly(1_001)),
      'much too large, and damaged': await appending(
        asked,
        'p.small',
      )(Buffer.concat([sized(5_000).subarray(0, 17), Buffer.alloc(4), sized(5_000).subarray(21)])),
      'larger than a segment': await appending(asked, 'p.segment')(sized(2_000_000)),
      'version 3': await appending(asked, 'p.small', 3)(exactly(1_001)),
    }
  },

  'Produce: timestamps': async (asked) => {
    const bounds = {
      'message.timestamp.before.max.ms': '7200000',
      'message.timestamp.after.max.ms': '1000000',
    }
    await asked.make('p.bounded', { configs: bounds })
    await asked.make('p.free')
    await asked.make('p.1970')
    const times = (...timestamps: bigint[]) =>
      encodeBatch(timestamps.map((timestamp, index) => record(`r${index}`, { timestamp })))
    const old = now() - 8_000_000n
    const future = now() + 2_000_000n
    const bounded = appending(asked, 'p.bounded')
    const free = appending(asked, 'p.free')
    return {
      none: await bounded(times(-1n)),
      'in bounds': await bounded(times(baseMs, baseMs + 1n)),
      'too old': await bounded(times(old)),
      'too old in the middle': await bounded(times(baseMs, old, baseMs, old)),
      'too far ahead': await bounded(times(future)),
      'too far ahead at the end': await bounded(times(baseMs, future)),
      'too far ahead, compressed': await bounded(
        encodeBatch([record('r', { timestamp: future })], { compression: 'gzip' }),
      ),
      'two hours ahead of a default topic': await free(times(now() + 7_200_000n)),
      'of the year 1970': await appending(asked, 'p.1970')(times(5n)),
      'a largest timestamp that is not true': await free(
        changed(times(baseMs, baseMs + 5n), (bytes) =>
          bytes.writeBigInt64BE(baseMs + 60_000n, at.maxTimestamp),
        ),
      ),
      'a largest timestamp that is not true, compressed': await free(
        changed(batch(['one', 'two'], { compression: 'gzip' }), (bytes) =>
          bytes.writeBigInt64BE(baseMs + 60_000n, at.maxTimestamp),
        ),
      ),
      'marked as LogAppendTime by the client': await free(
        changed(times(baseMs, baseMs + 5n), (bytes) => bytes.writeInt16BE(8, at.attributes)),
      ),
      'version 7': await appending(asked, 'p.bounded', 7)(times(future)),
      stored: await stored(asked, 'p.free'),
    }
  },

  'Produce: LogAppendTime': async (asked) => {
    await asked.make('p.append', { configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const append = appending(asked, 'p.append')
    const options = { producerId: 800n, producerEpoch: 0, baseSequence: 0 }
    return {
      plain: await append(batch(['one', 'two'])),
      compressed: await append(batch(['one', 'two'], { compression: 'lz4' })),
      'far ahead': await append(encodeBatch([record('r', { timestamp: now() + 10_000_000n })])),
      'marked by the client': await append(
        changed(batch(['one']), (bytes) => bytes.writeInt16BE(8, at.attributes)),
      ),
      idempotent: await append(batch(['one'], options)),
      'the same again': await append(batch(['one'], options)),
      stored: await stored(asked, 'p.append'),
    }
  },

  'Produce: idempotent producers': async (asked) => {
    await asked.make('p.idempotent')
    const append = appending(asked, 'p.idempotent')
    const from = (producerId: bigint, baseSequence: number, fields: BatchOptions = {}) =>
      append(batch(['one', 'two'], { producerId, producerEpoch: 0, baseSequence, ...fields }))
    const answers: { [what: string]: unknown } = {}
    for (let sequence = 0; sequence < 14; sequence += 2) {
      answers[`sequence ${sequence}`] = await from(700n, sequence)
    }
    return {
      ...answers,
      'the last again': await from(700n, 12),
      'the fifth last again': await from(700n, 4),
      'the sixth last again': await from(700n, 2),
      'a gap': await from(700n, 20),
      'half of the last': await from(700n, 13),
      'a newer epoch, not from zero': await from(700n, 5, { producerEpoch: 1 }),
      'a newer epoch': await from(700n, 0, { producerEpoch: 1 }),
      'an older epoch': await from(700n, 14, { producerEpoch: 0 }),
      'an older epoch again': await from(700n, 12, { producerEpoch: 0 }),
      'a negative epoch': await from(700n, 2, { producerEpoch: -1 }),
      'an unknown producer, not from zero': await from(701n, 50),
      'and it goes on': await from(701n, 52),
      'the end of the sequences': await from(702n, 2147483646),
      'and their beginning': await from(702n, 0),
      'a wrap within a batch': await from(703n, 2147483647),
      'and what follows it': await from(703n, 1),
      'a negative sequence': await from(704n, -5),
      'an unknown producer with a negative epoch': await from(705n, 0, { producerEpoch: -1 }),
    }
  },

  'Produce: a partition twice in one request': async (asked) => {
    await asked.make('p.twice', { numPartitions: 2 })
    const part = (partition: number, value: string) => ({
      topic: 'p.twice',
      partition,
      records: batch([value]),
    })
    return {
      'two partitions of a topic': await asked.ask(
        apis.produce,
        9,
        produce([part(0, 'one'), part(1, 'two')]),
      ),
      'a partition twice': await asked.ask(
        apis.produce,
        9,
        produce([part(0, 'three'), part(0, 'four')]),
      ),
      stored: await stored(asked, 'p.twice'),
    }
  },

  'Produce: topics of the broker itself': async (asked) => {
    const ask = (topic: string) => appending(asked, topic)(batch(['one']))
    return { unknown: await ask('__consumer_offsets'), metadata: await ask('__cluster_metadata') }
  },
}
