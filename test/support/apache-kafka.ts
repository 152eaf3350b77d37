/** Apache Kafka itself, one broker in KRaft mode, to hold our client to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { libraries } from './java-tools.ts'
import { run } from './run.ts'

const startMsMax = 60_000

export class ApacheKafka implements AsyncDisposable {
  readonly bootstrap: string
  readonly #directory: string
  readonly #child: ChildProcess

  private constructor(bootstrap: string, directory: string, child: ChildProcess) {
    this.bootstrap = bootstrap
    this.#directory = directory
    this.#child = child
  }

  static async start(settings: readonly string[] = []): Promise<ApacheKafka> {
    const directory = mkdtempSync(join(tmpdir(), 'kafka-test-'))
    const [port, controllerPort] = [await freePort(), await freePort()]
    const file = join(directory, 'server.properties')
    const properties = [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
      `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
      'controller.listener.names=CONTROLLER',
      `log.dirs=${join(directory, 'data')}`,
      'offsets.topic.replication.factor=1',
      ...settings,
    ]
    writeFileSync(file, properties.join('\n'))
    const classpath = ['-cp', `${libraries}/*`]
    const id = (await run('java', [...classpath, 'kafka.tools.StorageTool', 'random-uuid'])).trim()
    await run('java', [...classpath, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', file])
    const child = spawn('java', ['-Xmx512M', ...classpath, 'kafka.Kafka', file], {
      stdio: 'ignore',
    })
    await untilOpen(port)
    return new ApacheKafka(`127.0.0.1:${port}`, directory, child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function untilOpen(port: number): Promise<void> {
  const deadline = performance.now() + startMsMax
  while (!(await isOpen(port))) {
    if (performance.now() > deadline) throw new Error(`Kafka did not start in ${startMsMax} ms`)
  }
}

/** Tries to connect; a refusal takes a moment, which keeps the loop from spinning. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => setTimeout(() => resolve(false), 100))
  })
}
