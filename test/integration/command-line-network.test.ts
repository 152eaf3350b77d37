// What a person is told when the address is wrong: each mistake by name, with what to do and the exit code of the conventions.
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { naru } from '../support/naru.ts'

const servers: net.Server[] = []

afterAll(() => {
  for (const server of servers) server.close()
})

/** Listens on a free port, and drops its connections at the end of the tests. */
async function listen(server: net.Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.unref()
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

async function expectFailure(
  address: string,
  expected: { exit: number; code: string; message: string; hint: string },
): Promise<void> {
  const args = ['topic', 'list', '-b', address, '--timeout', '500ms', '--format', 'json']
  const { code, stdout, stderr } = await naru(args)
  const { error } = JSON.parse(stdout)
  expect({ code, error }).toMatchObject({
    code: expected.exit,
    error: { code: expected.code, docs: `naru errors ${expected.code}` },
  })
  expect(error.message).toBe(`Cannot list topics: ${expected.message}`)
  expect(error.hint).toContain(expected.hint)
  expect(error.where).toBe(`${address} (from the command line)`)
  expect(stderr).toContain(`✗ ${error.message}\n  where: ${error.where}\n  hint: ${error.hint}\n`)
}

it('nothing listens', async () => {
  const server = net.createServer()
  const address = await listen(server)
  server.close()
  await once(server, 'close')
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-002',
    message: `${address} refused the connection (ECONNREFUSED)`,
    hint: '`naru dev` starts a broker',
  })
})

it('the name is not known', async () => {
  const { code, stderr } = await naru(['topic', 'list', '-b', 'nohost.invalid:9092'])
  expect(code).toBe(3)
  expect(stderr).toMatch(
    /the host name nohost\.invalid cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)/,
  )
  expect(stderr).toContain('code: NARU-NET-003')
})

it('the port speaks TLS, and says nothing to plaintext', async () => {
  // Without a certificate it answers a ClientHello with an alert, which is enough to know it by.
  const address = await listen(tls.createServer())
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-004',
    message: `${address} speaks TLS (first byte 0x15), and this connection is plaintext`,
    hint: 'Use the plaintext listener',
  })
})

it('the port speaks TLS, and answers plaintext with an alert', async () => {
  const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 70])
  const address = await listen(
    net.createServer((socket) => socket.once('data', () => socket.end(alert))),
  )
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-004',
    message: `${address} speaks TLS (first byte 0x15), and this connection is plaintext`,
    hint: 'Use the plaintext listener',
  })
})

it('the port belongs to an HTTP server', async () => {
  const address = await listen(http.createServer((_, response) => response.end('hello')))
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-005',
    message: `${address} is an HTTP server, not a Kafka broker`,
    hint: '9092 by default',
  })
})

it('the port belongs to an HTTP server that waits for a line', async () => {
  const address = await listen(
    net.createServer((socket) => {
      socket.on('data', (chunk) => {
        if (chunk.includes(10)) socket.end('<html>\r\n<h1>400 Bad Request</h1></html>')
      })
    }),
  )
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-005',
    message: `${address} is an HTTP server, not a Kafka broker`,
    hint: '9092 by default',
  })
})

it('the port belongs to something else', async () => {
  const address = await listen(
    net.createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')),
  )
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-006',
    message: `${address} does not speak the Kafka protocol: it answered "SSH-2.0-OpenSSH_9.2"`,
    hint: '9092 by default',
  })
})

it('the connection is closed without an answer', async () => {
  const address = await listen(net.createServer((socket) => socket.end()))
  await expectFailure(address, {
    exit: 3,
    code: 'NARU-NET-008',
    message: `${address} closed the connection without an answer`,
    hint: 'Is this the plaintext port of a Kafka broker?',
  })
})

it('nobody answers in time', async () => {
  const address = await listen(net.createServer((socket) => socket.resume()))
  await expectFailure(address, {
    exit: 4,
    code: 'NARU-NET-010',
    message: `${address} did not answer ApiVersions in 500 ms`,
    hint: '--timeout',
  })
})

it('several addresses, and what each of them says', async () => {
  const address = await listen(net.createServer((socket) => socket.end()))
  const both = `127.0.0.1:1,${address}`
  const { code, stderr } = await naru(['topic', 'list', '-b', both])
  expect(code).toBe(3)
  expect(stderr).toContain('127.0.0.1:1 refused the connection (ECONNREFUSED); ')
  expect(stderr).toContain(`${address} closed the connection without an answer`)
})

it('the broker advertises an address that does not work', async () => {
  await using broker = await BrokerProcess.start([
    'advertised.listeners=PLAINTEXT://kafka-1.invalid:9092',
  ])
  const flags = ['-b', broker.bootstrap, '--timeout', '500ms']
  // What any broker can answer works all the same.
  expect((await naru(['topic', 'create', 'orders', ...flags])).code).toBe(0)
  expect((await naru(['topic', 'list', ...flags])).stdout).toContain('orders')
  const ends = await Promise.all([
    naru(['consume', 'orders', '-e', ...flags]),
    naru(['topic', 'describe', 'orders', ...flags]),
    naru(['produce', 'orders', ...flags], { input: 'hello\n' }),
  ])
  for (const { code, stdout, stderr } of ends) {
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain('broker 1 advertises kafka-1.invalid:9092, and the host name')
    expect(stderr).toContain(`by way of ${broker.bootstrap} (from the command line)`)
    expect(stderr).toContain('if it runs, set its advertised.listeners')
    expect(stderr).toContain('code: NARU-NET-009')
  }
  expect(ends[2]?.stderr).toContain('1 line read, 0 written; not written: line 1')
})

it('a broker cannot listen, or its directory is in use', async () => {
  await using broker = await BrokerProcess.start()
  const start = (listener: string, directory: string) =>
    naru(['start', '--set', `listeners=PLAINTEXT://${listener}`, '--set', `log.dirs=${directory}`])
  const elsewhere = join(broker.directory, 'elsewhere')
  const ends = await Promise.all([
    start(broker.bootstrap, elsewhere),
    start('127.0.0.1:0', broker.dataDirectory),
    start('127.0.0.1:0', '/dev/null/data'),
    start('192.0.2.1:9092', `${elsewhere}-too`),
  ])
  expect(ends.map(({ code }) => code)).toEqual([1, 1, 1, 1])
  const codes = ends.map(({ stderr }) => /code: (\S+)/.exec(stderr)?.[1])
  expect(codes).toEqual(['NARU-NET-001', 'NARU-DIR-001', 'NARU-DIR-005', 'NARU-NET-014'])
})
