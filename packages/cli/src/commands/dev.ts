import { fork } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { version } from '../version.ts'

export interface DevOptions {
  readonly brokers: string
  readonly port: string
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
const keptLines = 20

/** Runs a broker of this machine as a child process, and says what can be done with it. */
export async function dev(options: DevOptions): Promise<void> {
  const startedAt = performance.now()
  const port = checkedPort(options)
  const directory = resolve(process.env['INIT_CWD'] ?? '.', options.directory)
  const properties = writeProperties(directory, port)
  const isJson = options.json === true || process.stdout.isTTY !== true
  if (!isJson)
    console.log(`naru ${version} · Node ${process.versions.node} · data in ${directory}\n`)
  const broker = fork(entrance, ['start', '-c', properties, '--set', 'naru.log.format=json'], {
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
  broker.on('message', (message) => {
    if ((message as Ready).event !== 'ready') return
    const readyMs = performance.now() - startedAt
    report(message as Ready, { directory, isJson, readyMs })
  })
  const code = await new Promise<number | null>((done) => broker.on('exit', done))
  if (isStopping && code === 0) {
    if (!isJson) console.log('\nstopped; the data stays')
    process.exit(exitCodes.ok)
  }
  throw new Failure(`The broker ended ${code === null ? 'by a signal' : `with code ${code}`}`, {
    exitCode: exitCodes.failed,
    code: 'NARU-DEV-001',
    hint: `Its last lines:\n    ${lastLines.join('\n    ')}`,
  })
}

function checkedPort(options: DevOptions): number {
  if (options.brokers !== '1') {
    throw new Failure(
      `Cannot run ${options.brokers} brokers: this version has no replication yet`,
      {
        exitCode: exitCodes.usage,
        code: 'NARU-DEV-002',
        hint: 'Leave --brokers away',
      },
    )
  }
  const port = Number(options.port)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Failure(`Port ${options.port} is not a number from 1 to 65535`, {
    exitCode: exitCodes.usage,
    code: 'NARU-DEV-003',
  })
}

/** Written once: what a person changes in it stays. */
function writeProperties(directory: string, port: number): string {
  const home = join(directory, 'broker-1')
  const file = join(home, 'server.properties')
  if (existsSync(file)) return file
  mkdirSync(home, { recursive: true })
  const lines = [
    'node.id=1',
    `listeners=PLAINTEXT://localhost:${port}`,
    `log.dirs=${join(home, 'data')}`,
    '',
  ]
  writeFileSync(file, lines.join('\n'))
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
  const check = styleText('green', '✓')
  console.log(`  ${check} broker ${ready.nodeId}   kafka ${bootstrap}        ready in ${(readyMs / 1000).toFixed(1)} s

  Bootstrap    ${bootstrap}

  Try          npx naru topic create orders -p 3
               echo hello | npx naru produce orders
               npx naru consume orders -o start -n 1
  Or           kcat -b ${bootstrap} -L

Press Ctrl-C to stop; the data stays.`)
}
