/** The other process in tests of streams: `serve`, `open PORT`, `deaf` or `leave end|reset`. Prints a line when it is ready. */

import { writeSync } from 'node:fs'
import net from 'node:net'
import { systemClock } from '../../packages/platform/src/index.ts'
import { createGrpcNetwork } from '../../packages/rpc/src/index.ts'

const network = createGrpcNetwork(systemClock)
const localhost = { host: '127.0.0.1', port: 0 }
const [role, parameter] = process.argv.slice(2)

if (role === 'serve') {
  const server = await network.listen(localhost, (stream) => {
    stream.handle({ message: (message) => void stream.send(message), drain() {}, close() {} })
  })
  console.log(server.address.port)
} else if (role === 'open') {
  const stream = network.open({ ...localhost, port: Number(parameter) }, 'peer')
  stream.handle({ message() {}, drain() {}, close() {} })
  stream.send({ calls: [{ id: 1 }] })
  console.log('open')
} else if (role === 'deaf') {
  const server = net.createServer()
  server.listen({ ...localhost, backlog: 1 }, () => {
    writeSync(1, `${(server.address() as net.AddressInfo).port}\n`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
} else {
  await leave(parameter === 'end')
}

/** Ends everything that was started; nothing may keep the process alive then. */
async function leave(byEnd: boolean): Promise<void> {
  const server = await network.listen(localhost, (stream) => {
    stream.handle({ message: (message) => void stream.send(message), drain() {}, close() {} })
  })
  const streams = Array.from({ length: 3 }, () => network.open(server.address, 'peer'))
  await Promise.all(
    streams.map(
      (stream) =>
        new Promise<void>((resolve) => {
          stream.handle({
            message: () => (byEnd ? stream.end() : stream.reset()),
            drain() {},
            close: () => resolve(),
          })
          stream.send({ calls: [{ id: 1 }] })
        }),
    ),
  )
  await server.close()
  console.log('left')
}
