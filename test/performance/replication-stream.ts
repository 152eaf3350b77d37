/**
 * One stream of replication between two processes: how fast records go over it, one frame a turn, and what both processes take.
 *
 *     node test/performance/replication-stream.ts [megabytes]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { MessageStream } from '@naru/base'
import { systemClock } from '@naru/platform'
import { createGrpcNetwork } from '../../packages/rpc/src/index.ts'
import type { LeaderFrame, OutgoingLeaderFrame } from '../../packages/rpc/src/replication/index.ts'
import { cpuSeconds, memory } from '../support/process-usage.ts'

const recordBytes = [16 << 10, 256 << 10, 1 << 20]
const localhost = { host: '127.0.0.1', port: 0 }
const network = createGrpcNetwork(systemClock)
const [role = '1024', ...parameters] = process.argv.slice(2)

if (role === 'lead') await lead(...(parameters.map(Number) as [number, number]))
else for (const size of recordBytes) await measure(size, Number(role) << 20)

/** Sends `count` frames of `size` bytes of records to whoever follows. */
async function lead(size: number, count: number): Promise<void> {
  const server = await network.listen(localhost, (stream) => {
    const push = pushing(stream, Buffer.alloc(size, 'naru'), count)
    stream.handle({ message: () => push.begin(), drain: push.go, close: () => process.exit() })
  })
  console.log(server.address.port)
}

function pushing(stream: MessageStream, records: Buffer, count: number) {
  let sent = 0
  const go = () => {
    if (sent === count) return
    const offset = BigInt(sent++)
    const batches = [{ id: 1, logStartOffset: 0n, highWatermark: offset, records: [records] }]
    const frame: OutgoingLeaderFrame = { batches }
    if (stream.send(frame)) setImmediate(go)
  }
  // Acknowledgements come for what was sent.
  const begin = () => {
    if (sent === 0) go()
  }
  return { begin, go }
}

async function measure(size: number, bytes: number): Promise<void> {
  const count = Math.ceil(bytes / size)
  const leader = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), 'lead', `${size}`, `${count}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [port] = await once(leader.stdout, 'data')
  await report(size, count, leader, Number(port))
  leader.kill()
  await once(leader, 'exit')
}

async function report(size: number, count: number, leader: ChildProcess, port: number) {
  const pids = [leader.pid as number, process.pid]
  const cpuBefore = pids.map(cpuSeconds)
  const beganMs = performance.now()
  await follow(port, count)
  const seconds = (performance.now() - beganMs) / 1_000
  const [led, followed] = pids.map((pid, at) => cpuSeconds(pid) - (cpuBefore[at] as number))
  const gigabytes = (size * count) / 1e9
  const perGb = (cpu = 0) => (cpu / gigabytes).toFixed(2)
  const [a, b] = pids.map((pid) => memory(pid).peakMb)
  console.log(
    `${size >> 10} KB: ${((gigabytes * 1e3) / seconds).toFixed(0)} MB/s,` +
      ` CPU s/GB leader ${perGb(led)}, follower ${perGb(followed)}; peak ${a} and ${b} MB`,
  )
}

/** Takes all frames, and acknowledges once a turn what came in it. */
function follow(port: number, count: number): Promise<void> {
  const stream = network.open({ ...localhost, port }, 'replication')
  let taken = 0
  let isAnswering = false
  const answer = () => {
    isAnswering = false
    const offset = BigInt(taken)
    const acknowledgement = {
      id: 1,
      logEndOffset: offset,
      flushedOffset: offset,
      highWatermark: offset,
    }
    stream.send({ acknowledgements: [acknowledgement] })
  }
  return new Promise((resolve) => {
    stream.handle({
      message(frame) {
        taken += (frame as LeaderFrame).batches.length
        if (taken === count) {
          resolve()
          stream.reset()
        } else if (!isAnswering) {
          isAnswering = true
          setImmediate(answer)
        }
      },
      drain() {},
      close() {},
    })
    answer()
  })
}
