// A broker that takes whatever port is free: who asks it for its configuration has to reach it by what it says.
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { describeConfigs } from '../support/requests.ts'
import { WireClient } from '../support/wire-client.ts'

it('tells the ports that it listens on', async () => {
  await using broker = await BrokerProcess.start(['naru.grpc.listeners=127.0.0.1:0'])
  const line = broker.log.split('\n').find((each) => each.includes('"event":"broker-ready"'))
  const ready: { grpc: { port: number } } = JSON.parse(line ?? '{}')
  const keys = ['listeners', 'naru.grpc.listeners', 'naru.grpc.advertised.listeners']
  await using client = new WireClient(broker.bootstrap)
  const request = describeConfigs([{ type: 4, name: '1', keys }])
  const answer = await client.ask(apis.describeConfigs, 4, request)
  if (typeof answer === 'string') throw new Error(`It is ${answer}`)
  const told = answer.results[0]?.configs.map(({ name, value }) => [name, value])
  expect(Object.fromEntries(told ?? [])).toEqual({
    listeners: `PLAINTEXT://${broker.bootstrap}`,
    'naru.grpc.listeners': `127.0.0.1:${ready.grpc.port}`,
    'naru.grpc.advertised.listeners': `127.0.0.1:${ready.grpc.port}`,
  })
  expect(ready.grpc.port).toBeGreaterThan(0)
})
