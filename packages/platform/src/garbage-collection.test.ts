import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Sends 600 MB to itself, which comes in buffers that Node makes for each read, and counts full collections. */
const program = `
  import { createConnection, createServer } from 'node:net'
  import { PerformanceObserver, constants } from 'node:perf_hooks'
  import { collectForThroughput } from '${new URL('garbage-collection.ts', import.meta.url).href}'
  if (process.argv[1] === 'throughput') collectForThroughput()
  let full = 0
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) full += Number(detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR)
  })
  observer.observe({ entryTypes: ['gc'] })
  const server = createServer((socket) => socket.resume()).listen(0, () => {
    const socket = createConnection(server.address().port)
    const piece = Buffer.alloc(1 << 20)
    let left = 600
    const write = () => {
      while (left-- > 0) if (!socket.write(piece)) return socket.once('drain', write)
      socket.end(() => server.close(() => setImmediate(() => console.log(full))))
    }
    write()
  })
`

function fullCollections(...args: string[]): number {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, ...args])
  return Number(output.toString())
}

test('buffers that die young do not have the whole heap collected', () => {
  const usual = fullCollections('usual')
  const throughput = fullCollections('throughput')
  expect(throughput).toBeLessThan(usual)
})
