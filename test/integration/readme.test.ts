// The README's examples, as they are printed there.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@naru/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { isInstalled } from '../support/installed.ts'
import { startNaru } from '../support/naru.ts'
import { freeDevPort } from '../support/ports.ts'
import { root } from '../support/sources.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
let directory: string
let port: number
let launcher: ReturnType<typeof startNaru>

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'naru-readme-'))
  port = await freeDevPort(3)
  launcher = startNaru(['dev', '--port', String(port), '--directory', directory, '--json'])
  await launcher.until('cluster-ready')
})

afterAll(async () => {
  launcher.child.kill('SIGINT')
  await launcher.ended
  rmSync(directory, { recursive: true, force: true })
})

/** The code block after a heading, with the addresses of the test's brokers in it. */
function snippet(after: string): string {
  const from = readme.indexOf(after)
  const block = /```\w*\n([\s\S]*?)```/.exec(readme.slice(from))?.[1]
  if (from < 0 || block === undefined) throw new Error(`README has no code after ${after}`)
  return block.replace(/localhost:909(\d)/g, (_, last) => `localhost:${port + Number(last) - 2}`)
}

async function stored(): Promise<string[]> {
  await using client = await connect(bootstrap())
  const values: string[] = []
  for await (const record of client.consume('greetings', { from: 'earliest', untilEnd: true })) {
    values.push(String(record.value))
  }
  return values
}

/** Runs a program from a file inside the repository, where its imports resolve. */
function run(code: string, suffix: string): string {
  const folder = mkdtempSync(join(root, 'test', '.readme-'))
  const file = join(folder, `snippet${suffix}`)
  try {
    writeFileSync(file, code)
    return execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

it('the commands after the start, with their output', () => runs('about 20 seconds).'))

/** The commands of a transcript, in their order. */
async function runs(after: string): Promise<void> {
  for (const step of snippet(after).trim().split(/^\$ /m)) {
    const [command = '', ...expected] = step.trim().split('\n')
    if (command.startsWith('pkill')) process.kill(pidOf(launcher.printed.stdout, 1), 'SIGKILL')
    else if (command !== '') await prints(command, expected.join('\n'))
  }
}

/** Leaders may still be on their way when a command asks who they are: those that change nothing are asked again. */
async function prints(command: string, expected: string): Promise<void> {
  const line = command.replace('npx naru', `"${process.execPath}" packages/cli/bin/naru.js`)
  const env = { ...process.env, NARU_BOOTSTRAP: bootstrap() }
  const printed = () => execFileSync('bash', ['-c', line], { cwd: root, env, encoding: 'utf8' })
  if (!command.includes('describe')) expect(shapeOf(printed())).toBe(shapeOf(expected))
  else {
    await eventually(`${command} prints what README says`, () =>
      shapeOf(printed()) === shapeOf(expected) ? true : undefined,
    )
  }
}

/** The process of a broker, as its launcher has reported it. */
function pidOf(events: string, nodeId: number): number {
  const line = events
    .split('\n')
    .find((each) => each.startsWith(`{"event":"ready","nodeId":${nodeId},`))
  return JSON.parse(line ?? '{}').pid
}

/** Without what each run has of its own: ids and times. */
function shapeOf(text: string): string {
  return text
    .trim()
    .replace(/\b[\w-]{22}\b/g, 'ID')
    .replace(/\d+ ms/g, 'N ms')
}

function bootstrap(): string {
  return `localhost:${port},localhost:${port + 1}`
}

it.skipIf(!isInstalled('kcat'))('kcat', async () => {
  const output = execFileSync('bash', ['-c', snippet('With **kcat**')], { encoding: 'utf8' })
  expect(output).toContain('from kcat')
  expect(await stored()).toContain('from kcat')
})

it('kafkajs', async () => {
  run(snippet('With **kafkajs**'), '.mjs')
  expect(await stored()).toContain('from kafkajs')
})

it('our own client', () => {
  const output = run(snippet("With **Naru's own client**"), '.mts')
  expect(output).toContain('from naru')
})

it('a broker is killed, and nothing is lost', () => runs('nothing is lost:'))
