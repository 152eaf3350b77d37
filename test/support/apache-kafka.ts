/** Apache Kafka itself, in KRaft mode with a quorum that can change, to hold our client to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { libraries } from './java-tools.ts'
import { run } from './run.ts'

const startMsMax = 60_000

interface Node {
  readonly nodeId: number
  readonly clusterId: string
  /** Where the controllers of the cluster are found. */
  readonly controllers: string
  /** Said by `kafka-storage format`: whether the node votes from the start, or follows until it is added. */
  readonly membership: '--standalone' | '--no-initial-controllers'
  readonly port: number
  readonly controllerPort: number
  readonly settings: readonly string[]
}

const classpath = ['-cp', `${libraries}/*`]

export class ApacheKafka implements AsyncDisposable {
  readonly bootstrap: string
  /** Of the controller's listener, which is named CONTROLLER. */
  readonly controllerPort: number
  readonly #directory: string
  readonly #child: ChildProcess
  readonly #node: Node

  private constructor(node: Node, directory: string, child: ChildProcess) {
    this.bootstrap = `127.0.0.1:${node.port}`
    this.controllerPort = node.controllerPort
    this.#directory = directory
    this.#child = child
    this.#node = node
  }

  /** A cluster of one broker, which is its controller too. */
  static async start(settings: readonly string[] = []): Promise<ApacheKafka> {
    const id = await run('java', [...classpath, 'kafka.tools.StorageTool', 'random-uuid'])
    const controllerPort = await freePort()
    return ApacheKafka.#run({
      nodeId: 1,
      clusterId: id.trim(),
      controllers: `127.0.0.1:${controllerPort}`,
      membership: '--standalone',
      port: await freePort(),
      controllerPort,
      settings,
    })
  }

  /** One more broker for the same cluster; its controller follows the quorum without a vote. */
  async join(nodeId: number): Promise<ApacheKafka> {
    const membership = '--no-initial-controllers'
    const [port, controllerPort] = [await freePort(), await freePort()]
    return ApacheKafka.#run({ ...this.#node, nodeId, membership, port, controllerPort })
  }

  static async #run(node: Node): Promise<ApacheKafka> {
    const directory = mkdtempSync(join(tmpdir(), 'kafka-test-'))
    const file = join(directory, 'server.properties')
    writeFileSync(file, propertiesOf(node, directory).join('\n'))
    const format = ['format', '-t', node.clusterId, '-c', file, node.membership]
    await run('java', [...classpath, 'kafka.tools.StorageTool', ...format])
    const child = spawn('java', ['-Xmx512M', ...classpath, 'kafka.Kafka', file], {
      stdio: 'ignore',
    })
    await untilOpen(node.port)
    return new ApacheKafka(node, directory, child)
  }

  /** SIGKILL: no chance to say goodbye. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

function propertiesOf(
  { nodeId, controllers, port, controllerPort, settings }: Node,
  directory: string,
): string[] {
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`
  return [
    'process.roles=broker,controller',
    `node.id=${nodeId}`,
    `controller.quorum.bootstrap.servers=${controllers}`,
    `listeners=${listeners}`,
    `advertised.listeners=${listeners}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${join(directory, 'data')}`,
    'offsets.topic.replication.factor=1',
    ...settings,
  ]
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
