// `naru dev` as people run it: what it writes, prints and refuses, and how it ends.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { naru, startNaru } from '../support/naru.ts'
import { freePort, occupied } from '../support/ports.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'naru-dev-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** One broker: several are in dev-cluster.test.ts. */
const start = (...flags: string[]) =>
  startNaru(['dev', '-n', '1', '--directory', directory, ...flags])

function fileOf(nodeId: number): string {
  return join(directory, `broker-${nodeId}`, 'server.properties')
}

it('prints what can be done with the broker, and keeps its port and data', async () => {
  const port = await freePort()
  const dev = async (...flags: string[]) => {
    const { child, ended, until } = start(...flags)
    await until('Press Ctrl-C to stop')
    const found = await naru(['topic', 'list', '-b', `localhost:${port}`, '--format', 'name'])
    await naru(['topic', 'create', 'kept', '-b', `localhost:${port}`])
    child.kill('SIGINT')
    return { topics: found.stdout, ...(await ended) }
  }
  const first = await dev('--port', String(port))
  expect(first).toMatchObject({ code: 0, topics: '', stderr: '' })
  expect(first.stdout).toMatch(
    new RegExp(
      `✓ broker 1 {3}kafka localhost:${port} {3}grpc :${port + 100} {8}ready in \\d+\\.\\d s\\n`,
    ),
  )
  expect(first.stdout).toContain(`npx naru consume orders -o start -n 1 -b localhost:${port}\n`)
  expect(first.stdout).toContain('stopped; the data stays')
  expect(await dev()).toMatchObject({ code: 0, topics: 'kept\n' })
})

it('writes the file of its broker once', async () => {
  const port = await freePort()
  const dev = async () => {
    const { child, ended, until } = start('--port', String(port))
    await until('Press Ctrl-C to stop')
    child.kill('SIGINT')
    await ended
  }
  await dev()
  const written = readFileSync(fileOf(1), 'utf8')
  expect(written).toContain(`listeners=PLAINTEXT://localhost:${port}\n`)
  expect(written).toContain(`naru.internal.listeners=localhost:${port + 200}\n`)
  writeFileSync(fileOf(1), `# mine\n${written}`)
  await dev()
  expect(readFileSync(fileOf(1), 'utf8')).toBe(`# mine\n${written}`)
})

it('tells machines a line for each event', async () => {
  const port = await freePort()
  const { child, ended, until } = start('--port', String(port), '--json')
  await until('cluster-ready')
  child.kill('SIGINT')
  const { code, stdout, stderr } = await ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const bootstrap = `localhost:${port}`
  const listeners = [{ listener: 'PLAINTEXT', host: 'localhost', port }]
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { event: 'ready', nodeId: 1, pid: expect.any(Number), bootstrap, directory, listeners },
    { event: 'cluster-ready', brokers: [1], bootstrap, directory, readyMs: expect.any(Number) },
    { event: 'stopped' },
  ])
})

it('ends well when it is interrupted while its broker starts', async () => {
  const { child, ended, until } = start('--port', String(await freePort()))
  await until('data in')
  child.kill('SIGINT')
  const { code, stdout, stderr } = await ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('stopped; the data stays')
})

it('says why its broker does not start', async () => {
  const other = await occupied()
  const { code, stdout, stderr } = await start('--port', String(other.port), '--json').ended
  other.close()
  expect(code).toBe(1)
  expect(stderr).toContain('✗ The broker ended with code 1')
  expect(stderr).toContain(`Cannot use 127.0.0.1:${other.port}: EADDRINUSE`)
  expect(JSON.parse(stdout)).toMatchObject({ event: 'ended', nodeId: 1, code: 1, signal: null })
})

it('says that its broker has ended, and ends', async () => {
  const { ended, until, printed } = start('--port', String(await freePort()), '--json')
  await until('cluster-ready')
  process.kill(JSON.parse(printed.stdout.split('\n')[0] as string).pid, 'SIGKILL')
  const { code, stdout, stderr } = await ended
  expect(code).toBe(1)
  expect(stderr).toContain('✗ The broker ended by SIGKILL')
  expect(stdout).toContain('"event":"ended","nodeId":1,"code":null,"signal":"SIGKILL"')
})

it('takes its broker with it, however it ends', async () => {
  const port = await freePort()
  const { child, ended, until } = start('--port', String(port))
  await until('Press Ctrl-C to stop')
  child.kill('SIGKILL')
  await ended
  await expect
    .poll(
      async () => {
        const socket = net.connect(port, '127.0.0.1')
        const [error] = await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(
          (failed) => [failed],
        )
        socket.destroy()
        return error?.code
      },
      { timeout: 20_000 },
    )
    .toBe('ECONNREFUSED')
})

it('refuses fewer brokers than there are, and files that it cannot read', async () => {
  for (const nodeId of [1, 2]) {
    mkdirSync(join(directory, `broker-${nodeId}`))
    writeFileSync(fileOf(nodeId), `node.id=${nodeId}\n`)
  }
  const fewer = await start('-n', '1').ended
  expect(fewer).toMatchObject({ code: 2, stdout: '' })
  expect(fewer.stderr).toContain(`✗ Cannot run one broker: ${directory} has 2`)
  expect(fewer.stderr).toContain('hint: -n 2 runs all of them')
  writeFileSync(fileOf(1), '\nnonsense\n')
  const unreadable = await start().ended
  expect(unreadable).toMatchObject({ code: 2, stdout: '' })
  expect(unreadable.stderr).toContain(`✗ Cannot read "nonsense": no value (${fileOf(1)}, line 2)`)
})

it('refuses what leaves no room for ports, and more brokers than it knows', async () => {
  const [port, brokers] = await Promise.all([
    naru(['dev', '--port', '65237']),
    naru(['dev', '-n', '101']),
  ])
  expect(port).toMatchObject({ code: 2, stdout: '' })
  expect(port.stderr).toContain('--port takes a whole number from 1 to 65236')
  expect(brokers.stderr).toContain('--brokers takes a whole number from 1 to 100')
})
