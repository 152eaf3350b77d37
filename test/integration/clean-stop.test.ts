// A stop in the middle of everything: what was acknowledged is there afterwards, and the process ends well.
import { connect } from '@naru/client'
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import { AckRecorder } from '../support/ack-recorder.ts'
import { Asked, answered } from '../support/asked.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { fetch, metadata } from '../support/requests.ts'

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s under load loses nothing', async (signal) => {
  await using broker = await BrokerProcess.start(['num.partitions=3'])
  await using client = await connect(broker.bootstrap, { retryMs: 20_000 })
  await client.admin.createTopic('load', { partitions: 3 })
  const recorder = new AckRecorder(client, { topic: 'load', partitions: 3 })
  recorder.start()
  await recorder.until(1_000)
  expect(await broker.stop(signal)).toBe(0)
  const before = recorder.acknowledged
  await broker.restart()
  await recorder.until(before + 200)
  const { byPartition, failures } = await recorder.stop()
  expect(failures).toEqual([])
  await using reader = await connect(broker.bootstrap)
  for (const [partition, acknowledged] of byPartition.entries()) {
    const stored: string[] = []
    const options = { from: 'earliest', partitions: [partition], untilEnd: true } as const
    for await (const record of reader.consume('load', options)) stored.push(String(record.value))
    expect(stored).toEqual(stored.map((_, index) => String(index)))
    for (const { value, offset } of acknowledged) expect(stored[Number(offset)]).toBe(String(value))
  }
})

it('answers a client that waits for records before it ends', async () => {
  await using broker = await BrokerProcess.start()
  await using asked = new Asked(broker.bootstrap)
  await asked.make('idle')
  await using waiting = asked.connect()
  await waiting.send(apis.metadata, 12, metadata([]))
  await waiting.send(apis.fetch, 12, fetch([{ topic: 'idle' }], { maxWaitMs: 60_000 }))
  // Requests are taken in order: with this answer the poll has come too.
  answered(await waiting.answer(apis.metadata, 12))
  expect(await broker.stop()).toBe(0)
  const answer = answered(await waiting.answer(apis.fetch, 12))
  expect(answer.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0n })
})
