// The promise that matters most: what was acknowledged survives kill -9, once, in order (replication.md P1, P3 as far as one
// broker goes). NARU_KILL_ROUNDS=50 for the long run.
import { connect } from '@naru/client'
import { expect, it } from 'vitest'
import { AckRecorder } from '../support/ack-recorder.ts'
import { BrokerProcess } from '../support/broker-process.ts'

const rounds = Number(process.env['NARU_KILL_ROUNDS'] ?? 5)
const partitions = 3

it(`keeps every acknowledged record over ${rounds} kills under load`, async () => {
  await using broker = await BrokerProcess.start([`num.partitions=${partitions}`])
  await using client = await connect(broker.bootstrap, { retryMs: 20_000 })
  await client.admin.createTopic('load', { partitions })
  const recorder = new AckRecorder(client, { topic: 'load', partitions })
  recorder.start()
  for (let round = 0; round < rounds; round++) {
    const before = recorder.acknowledged
    await recorder.until(before + 300 + 77 * (round % 7))
    await broker.kill()
    await broker.restart()
  }
  await recorder.until(recorder.acknowledged + 300)
  const sent = await recorder.stop()
  expect(sent.failures).toEqual([])
  await using reader = await connect(broker.bootstrap)
  for (let partition = 0; partition < partitions; partition++) {
    const stored: number[] = []
    const options = { from: 'earliest', partitions: [partition], untilEnd: true } as const
    for await (const record of reader.consume('load', options)) {
      expect(record.offset).toBe(BigInt(stored.length))
      stored.push(Number(record.value))
    }
    // Sequence numbers were given out in order, so anything missing, doubled or moved shows.
    const acknowledged = sent.byPartition[partition] ?? []
    expect(stored).toEqual(stored.map((_, index) => index))
    expect(stored.length).toBeGreaterThanOrEqual(acknowledged.length)
    for (const { value, offset } of acknowledged) expect(BigInt(value)).toBe(offset)
  }
}, 600_000)

it('stops cleanly with exit code 0 and starts again with nothing to recover', async () => {
  await using broker = await BrokerProcess.start()
  await using client = await connect(broker.bootstrap)
  await using producer = client.producer()
  await producer.send({ topic: 'calm', value: 'one' })
  expect(await broker.stop()).toBe(0)
  await broker.restart()
  await producer.send({ topic: 'calm', value: 'two' })
  const values: string[] = []
  for await (const record of client.consume('calm', { from: 'earliest', untilEnd: true })) {
    values.push(String(record.value))
  }
  expect(values).toEqual(['one', 'two'])
})
