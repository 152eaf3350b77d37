import { fork } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { styled } from '../style.ts'
import { version } from '../version.ts'
import { fromHere } from '../working-directory.ts'

export interface DevOptions {
  readonly brokers: number
  /** Undefined for the one that the configuration has, or Kafka's at the first start. */
  readonly port?: number
  readonly directory: string
  readonly json?: boolean
}

interface Ready {
  readonly event: 'ready'
  readonly nodeId: number
  readonly clusterId: string
  readonly listeners: readonly { listener: string; host: string; port: number }[]
}

const entrance = fileURLToPath(new URL('../../bin/naru.js', import.meta.url))
const defaultPort = 9092
const keptLines = 20

/** Runs a broker of this machine as a child process, and says what can be done with it. */
export async function dev(options: DevOptions): Promise<void> {
  const startedAt = performance.now()
  const { brokers, port, json: isJson = false } = options
  if (brokers !== 1) {
    const message = `Cannot run ${brokers} brokers: this version has no replication yet`
    throw new Failure('ONE_BROKER_ONLY', message, { exitCode: exitCodes.usage })
  }
  const directory = fromHere(options.directory)
  const properties = writeProperties(directory, port ?? defaultPort)
  const settings = [
    'naru.log.format=json',
    ...(port === undefined ? [] : [`listeners=PLAINTEXT://localhost:${port}`]),
  ]
  const flags = settings.flatMap((setting) => ['--set', setting])
  const broker = fork(entrance, ['start', '-c', properties, ...flags], {
    execArgv: [],
    silent: true,
  })
  const lastLines: string[] = []
  const keep = (chunk: Buffer) => {
    lastLines.push(...chunk.toString('utf8').trimEnd().split('\n'))
    lastLines.splice(0, Math.max(0, lastLines.length - keptLines))
  }
  broker.stdout?.on('data', keep)
  broker.stderr?.on('data', keep)
  let isStopping = false
  const stop = () => {
    isStopping = true
    if (broker.connected) broker.disconnect()
  }
  // On a terminal Ctrl-C may arrive twice, once from the terminal and once from npm: the second means no more than the first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  if (!isJson) {
    console.log(`naru ${version} · Node ${process.versions.node} · data in ${directory}\n`)
  }
  broker.on('message', (message) => {
    if ((message as Ready).event !== 'ready') return
    const readyMs = performance.now() - startedAt
    report(message as Ready, { directory, isJson, readyMs })
  })
  const code = await new Promise<number | null>((done) => broker.on('exit', done))
  // A terminal interrupts the broker too; while it is still starting, that ends it by the signal.
  if (isStopping && (code === 0 || code === null)) {
    if (!isJson) console.log('\nstopped; the data stays')
    process.exit(exitCodes.ok)
  }
  throw ended(code, lastLines)
}

/** The broker has told why in its last lines: its own failure where it has one. */
function ended(code: number | null, lastLines: readonly string[]): Failure {
  const how = code === null ? 'by a signal' : `with code ${code}`
  const from = lastLines.findLastIndex((line) => line.startsWith('✗'))
  const told = lastLines.slice(Math.max(0, from)).join('\n')
  const hint = `It said\n${told}`
  return new Failure('BROKER_ENDED', `The broker ended ${how}`, { hint })
}

/** Written once: what a person changes in it stays. */
function writeProperties(directory: string, port: number): string {
  const home = join(directory, 'broker-1')
  const file = join(home, 'server.properties')
  if (existsSync(file)) return file
  const lines = [
    'node.id=1',
    `listeners=PLAINTEXT://localhost:${port}`,
    `log.dirs=${join(home, 'data')}`,
    '',
  ]
  try {
    mkdirSync(home, { recursive: true })
    writeFileSync(file, lines.join('\n'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure('UNUSABLE_DIRECTORY', `Cannot write ${file}: ${code}`, { cause: error })
  }
  return file
}

function report(
  ready: Ready,
  { directory, isJson, readyMs }: { directory: string; isJson: boolean; readyMs: number },
): void {
  const port = ready.listeners[0]?.port ?? 0
  const bootstrap = `localhost:${port}`
  if (isJson) {
    console.log(JSON.stringify({ ...ready, bootstrap, directory, readyMs: Math.round(readyMs) }))
    return
  }
  const check = styled('green', '✓')
  const at = port === defaultPort ? '' : ` -b ${bootstrap}`
  console.log(`  ${check} broker ${ready.nodeId}   kafka ${bootstrap}        ready in ${(readyMs / 1000).toFixed(1)} s

  Bootstrap    ${bootstrap}

  Try          npx naru topic create orders -p 3${at}
               echo hello | npx naru produce orders${at}
               npx naru consume orders -o start -n 1${at}
  Or           kcat -b ${bootstrap} -L

Press Ctrl-C to stop; the data stays.`)
}
