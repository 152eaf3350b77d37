// The README's examples, as they are printed there.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@naru/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { eventually } from '../support/eventually.ts'
import { isInstalled } from '../support/installed.ts'
import { startNaru } from '../support/naru.ts'
import { freeDevPort } from '../support/ports.ts'
import { root } from '../support/sources.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
let broker: BrokerProcess

beforeAll(async () => {
  broker = await BrokerProcess.start()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

/** The code block after a heading, with the address of the test's broker in it. */
function snippet(after: string): string {
  const from = readme.indexOf(after)
  const block = /```\w*\n([\s\S]*?)```/.exec(readme.slice(from))?.[1]
  if (from < 0 || block === undefined) throw new Error(`README has no code after ${after}`)
  return block.replaceAll('localhost:9092', broker.bootstrap)
}

async function stored(): Promise<string[]> {
  await using client = await connect(broker.bootstrap)
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

it('the commands after the start, with their output', async () => {
  const transcript = snippet('about 20 seconds).').trim()
  const measured = (text: string) => text.replace(/\d+ ms/g, 'N ms')
  for (const step of transcript.split(/^\$ /m).filter((text) => text !== '')) {
    const [command = '', ...expected] = step.trim().split('\n')
    const line = command.replace('npx naru', `"${process.execPath}" packages/cli/bin/naru.js`)
    const env = { ...process.env, NARU_BOOTSTRAP: broker.bootstrap }
    const printed = execFileSync('bash', ['-c', line], { cwd: root, env, encoding: 'utf8' })
    expect(measured(printed.trim())).toBe(measured(expected.join('\n')))
  }
})

it('three brokers, of which the one that leads is killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'naru-readme-'))
  const port = await freeDevPort(3)
  const flags = ['-n', '3', '--port', String(port), '--directory', directory, '--json']
  const launcher = startNaru(['dev', ...flags])
  try {
    await launcher.until('cluster-ready')
    const transcript = snippet('the two others go on:').trim()
    for (const step of transcript.split(/^\$ /m).filter((text) => text !== '')) {
      const [command = '', ...expected] = step.trim().split('\n')
      if (command.startsWith('pkill')) process.kill(pidOf(launcher.printed.stdout, 1), 'SIGKILL')
      else {
        const line = command.replace('npx naru', `"${process.execPath}" packages/cli/bin/naru.js`)
        const here = line.replace('localhost:9093', `localhost:${port + 1}`)
        // Who has been elected may have heard from nobody yet.
        await eventually(`${command} prints what README says`, () => {
          const printed = execFileSync('bash', ['-c', here], { cwd: root, encoding: 'utf8' })
          return shapeOf(printed) === shapeOf(expected.join('\n')) || undefined
        })
      }
    }
  } finally {
    launcher.child.kill('SIGINT')
    await launcher.ended
    rmSync(directory, { recursive: true, force: true })
  }
})

/** The process of a broker, as its launcher has reported it. */
function pidOf(events: string, nodeId: number): number {
  const line = events
    .split('\n')
    .find((each) => each.startsWith(`{"event":"ready","nodeId":${nodeId},`))
  return JSON.parse(line ?? '{}').pid
}

/** Without what each run has of its own: ids, numbers, ages. */
function shapeOf(text: string): string {
  return text
    .trim()
    .replace(/\b[\w-]{22}\b/g, 'ID')
    .replace(/\d+(\.\d+)? m?s ago/g, 'N')
    .replace(/\d+|(?<= )-(?=\s|$)/g, 'N')
    .replace(/[ \n]+/g, ' ')
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
