// Writing and reading by the command line, by the real program against a real broker: nothing is altered, nothing is lost in silence.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { isInstalled } from '../support/installed.ts'
import { type Ended, naru, startNaru, startNaruOnTerminal } from '../support/naru.ts'
import { root } from '../support/sources.ts'

let broker: BrokerProcess
let env: Record<string, string>

beforeAll(async () => {
  broker = await BrokerProcess.start()
  env = { NARU_BOOTSTRAP: broker.bootstrap }
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

function run(args: readonly string[], input: string | Buffer = ''): Promise<Ended> {
  return naru(args, { env, input })
}

async function ok(args: readonly string[], input: string | Buffer = ''): Promise<string> {
  const { code, stdout, stderr } = await run(args, input)
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}

/** A topic of one partition, with these lines in it. */
async function filled(topic: string, lines: readonly string[], ...flags: string[]): Promise<void> {
  await ok(['topic', 'create', topic, ...flags])
  if (lines.length > 0) await ok(['produce', topic], lines.map((line) => `${line}\n`).join(''))
}

describe('produce', () => {
  it('says where the records are, in each format', async () => {
    await filled('told', [], '-p', '2')
    const produce = (...flags: string[]) => ok(['produce', 'told', '-p', '1', ...flags], 'a\nb\n')
    const text = await produce()
    expect(text.replace(/\d+ ms/, 'N ms')).toBe('2 records · told/1 @0–1 · acks=all · N ms\n')
    expect(JSON.parse(await produce('--format', 'json'))).toEqual({
      apiVersion: 'naru/v1',
      kind: 'ProduceResult',
      items: [{ topic: 'told', partition: 1, records: '2', first: '2', last: '3' }],
      errors: [],
    })
    const acknowledged = (await produce('--format', 'ndjson')).trimEnd().split('\n')
    expect(acknowledged.map((line) => JSON.parse(line))).toEqual([
      { line: '1', topic: 'told', partition: 1, offset: '4' },
      { line: '2', topic: 'told', partition: 1, offset: '5' },
    ])
    expect(await produce('--format', 'tsv')).toBe('told\t1\t2\t6\t7\n')
    expect(await produce('--format', 'name')).toBe('told/1\n')
  })

  it('keeps bytes as they are: only line ends are taken, and the last one may be missing', async () => {
    await filled('bytes', [])
    const lines = ['a\u2028b\rc', '', '\xff\x00\x1b[31m', 'last'].map((each) =>
      Buffer.from(each, 'latin1'),
    )
    const input = Buffer.concat(
      lines.map((line, n) => Buffer.concat([line, Buffer.from(n === 3 ? '' : '\r\n')])),
    )
    const file = join(broker.directory, 'lines')
    writeFileSync(file, input)
    await ok(['produce', 'bytes', file])
    const script = `"${process.execPath}" packages/cli/bin/naru.js consume bytes -e -f '%v\\r\\n'`
    const printed = execFileSync('sh', ['-c', script], {
      cwd: root,
      env: { ...process.env, ...env },
    })
    expect(printed).toEqual(Buffer.concat([input, Buffer.from('\r\n')]))
  })

  it('writes keys, headers, tombstones, compressed or not', async () => {
    await filled('fields', [])
    await ok(['produce', 'fields', '-k', 'k', '-H', 'a=1', '-H', 'b=x=y'], 'v\n')
    await ok(['produce', 'fields', '--key-separator', '::', '-z', 'zstd'], 'k2::v:2\n::\n')
    await ok(['produce', 'fields', '--tombstone', '-k', 'k'])
    const read = await ok(['consume', 'fields', '-e', '-f', '%k|%v|%h\n'])
    expect(read).toBe('k|v|a=1,b=x=y\nk2|v:2|\n||\nk||\n')
    const records = await ok(['consume', 'fields', '-e', '--format', 'ndjson'])
    const values = records.trimEnd().split('\n')
    expect(values.map((line) => JSON.parse(line).value)).toEqual(['v', 'v:2', '', null])
  })

  it('takes more than is held at once', async () => {
    await filled('many', [], '-p', '4')
    const lines = Array.from(
      { length: 30_000 },
      (_, n) => `${n}-${'x'.repeat(n % 10 === 0 ? 9_000 : 9)}`,
    )
    await ok(['produce', 'many', '-z', 'lz4'], `${lines.join('\n')}\n`)
    const read = await ok(['consume', 'many', '-e', '-f', '%v\n'])
    expect(read.split('\n').slice(0, -1).sort()).toEqual(lines.toSorted())
  })

  it('says that a topic was created, and which one was perhaps meant', async () => {
    await filled('invoices', [])
    const { code, stdout, stderr } = await run(['produce', 'invoice'], 'x\n')
    expect(code).toBe(0)
    expect(stdout).toContain('1 record · invoice/0 @0')
    expect(stderr).toBe('! topic invoice did not exist and was created; did you mean invoices?\n')
  })

  it.each(['table', 'json', 'ndjson'])('names the line that is too large (%s)', async (format) => {
    const topic = `large-${format}`
    await filled(topic, [], '-c', 'max.message.bytes=1000')
    const input = `1\n2\n${'x'.repeat(2_000)}\n4\n`
    const { code, stdout, stderr } = await run(['produce', topic, '--format', format], input)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^✗ Cannot write line 3 to ${topic}/0: .* \\(MESSAGE_TOO_LARGE, 10\\)\n`),
    )
    expect(stderr).toContain('where: line 3 of standard input; ')
    expect(stderr).toContain('done: 4 lines read, 3 written; not written: line 3;')
    expect(stderr).toContain('hint: Raise max.message.bytes')
    if (format === 'table') expect(stdout).toMatch(/^3 records · large-table\/0 @0–2 · /)
    if (format === 'json') {
      const { items, errors } = JSON.parse(stdout)
      expect(items).toEqual([{ topic, partition: 0, records: '3', first: '0', last: '2' }])
      expect(errors).toHaveLength(1)
      expect(errors[0]).toMatchObject({ line: '3', code: 'KAFKA-10', outcome: 'not written' })
    }
    if (format === 'ndjson') {
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(lines.map(({ line }) => line).sort()).toEqual(['1', '2', '3', '4'])
      expect(lines.find(({ line }) => line === '3').error.code).toBe('KAFKA-10')
    }
    expect(await ok(['consume', topic, '-e', '-f', '%v '])).toBe('1 2 4 ')
  })

  it('stops at a line that is no record', async () => {
    await filled('separated', [])
    const { code, stderr } = await run(
      ['produce', 'separated', '--key-separator', ':'],
      'a:1\nb2\nc:3\n',
    )
    expect(code).toBe(1)
    expect(stderr).toContain('✗ Cannot write line 2: the line has no ":" between key and value')
    expect(stderr).toContain(
      '2 lines read, 1 written; not written: line 2; nothing after line 2 was sent',
    )
    expect(await ok(['consume', 'separated', '-e', '-f', '%k=%v '])).toBe('a=1 ')
  })

  it('says which lines a broker that fell silent has perhaps written: 4', async () => {
    await using other = await BrokerProcess.start()
    const flags = ['-b', other.bootstrap, '--timeout', '600ms']
    expect((await naru(['topic', 'create', 'cut', ...flags])).code).toBe(0)
    const { child, ended, until } = startNaru(['produce', 'cut', '--format', 'ndjson', ...flags])
    child.stdin.write('1\n2\n')
    await until('"line":"2"')
    process.kill(other.pid, 'SIGSTOP')
    child.stdin.write('3\n')
    const { code, stderr } = await ended
    process.kill(other.pid, 'SIGCONT')
    expect(stderr).toContain('✗ Cannot write line 3 to cut: ')
    expect(stderr).toContain(
      'done: 3 lines read, 2 written; perhaps written: line 3; nothing after',
    )
    expect(stderr).toContain('code: NARU-NET-010')
    expect(code).toBe(4)
  })

  it('lasts through a restart of the broker', async () => {
    await using other = await BrokerProcess.start()
    const flags = ['-b', other.bootstrap]
    expect((await naru(['topic', 'create', 'again', ...flags])).code).toBe(0)
    const { child, ended, until } = startNaru(['produce', 'again', '--format', 'ndjson', ...flags])
    child.stdin.write('1\n')
    await until('"line":"1"')
    await other.kill()
    child.stdin.end('2\n')
    await other.restart()
    expect((await ended).code).toBe(0)
    const { stdout } = await naru(['consume', 'again', '-e', '-f', '%v ', ...flags])
    expect(stdout).toBe('1 2 ')
  })

  it('is no success when its reader goes away before all is written', async () => {
    await filled('unheard', [])
    const { child, ended, until } = startNaru(['produce', 'unheard', '--format', 'ndjson'], { env })
    child.stdin.write('1\n')
    await until('"line":"1"')
    child.stdout.destroy()
    child.stdin.write('2\n')
    expect((await ended).code).toBe(1)
  })

  it('interrupted, it says how far it came: 130', async () => {
    await filled('interrupted', [])
    const { child, ended, until } = startNaru(['produce', 'interrupted', '--format', 'ndjson'], {
      env,
    })
    child.stdin.write('1\n2\n')
    await until('"line":"2"')
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).toContain('✗ Interrupted after line 2: 2 records written')
  })

  it.skipIf(!isInstalled('script'))(
    'typed on a terminal, it ends well by Ctrl-C and Ctrl-D',
    async () => {
      await filled('typed', [])
      for (const end of ['\x03', '\x04']) {
        const args = ['produce', 'typed', '--format', 'ndjson']
        const { child, ended, until } = startNaruOnTerminal(args, { env })
        await until('Type records, one a line')
        child.stdin.write('hello\n')
        await until('"line":"1"')
        child.stdin.write(end)
        expect((await ended).code).toBe(0)
      }
      expect(await ok(['consume', 'typed', '-e', '-f', '%v '])).toBe('hello hello ')
    },
  )
})

describe('consume', () => {
  beforeAll(async () => {
    await filled('ten', ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  it.each([
    [['-o', 'start', '-n', '3'], '0 1 2 '],
    [['-o', 'start', '-n', '0'], ''],
    [['-e'], '0 1 2 3 4 5 6 7 8 9 '],
    [['-o', 'end', '-e'], ''],
    [['-o', '8', '-e'], '8 9 '],
    [['-o', '10', '-e'], ''],
    [['-o', '+7', '-e'], '7 8 9 '],
    [['-o', '-2', '-e'], '8 9 '],
    [['-o', '-200', '-n', '2'], '0 1 '],
    [['-o', '3:6'], '3 4 5 '],
    [['-o', ':2'], '0 1 '],
    [['-o', '8:end'], '8 9 '],
    [['-o', '8:900'], '8 9 '],
    [['-o', '900:end'], ''],
    [['-o', '@-1h:end'], '0 1 2 3 4 5 6 7 8 9 '],
    [['-o', '@2020-01-01:2021-01-01'], ''],
    [['-o', '@-1h', '-p', '0', '-n', '1'], '0 '],
  ])('%j', async (flags, expected) => {
    expect(await ok(['consume', 'ten', '-f', '%v ', ...flags])).toBe(expected)
  })

  it('has a line for a record whatever is in it, and nothing that a terminal would obey', async () => {
    await filled('odd', ['\x1b[31mred\tx\\', 'a—b'])
    await ok(['produce', 'odd', '--tombstone', '-k', 'k'])
    await ok(['produce', 'odd'], Buffer.from([0xff, 0xfe, 0x0a]))
    const table =
      'odd/0@0  -  \\x1b[31mred\\tx\\\\\nodd/0@1  -  a—b\nodd/0@2  k  (tombstone)\nodd/0@3  -  0xfffe\n'
    expect(await ok(['consume', 'odd', '-e'])).toBe(table)
    const tsv = await ok(['consume', 'odd', '-e', '--format', 'tsv'])
    expect(tsv.replace(/\t\d{13}\t/g, '\tT\t')).toBe(
      'odd\t0\t0\tT\t-\t\\x1b[31mred\\tx\\\\\nodd\t0\t1\tT\t-\ta—b\nodd\t0\t2\tT\tk\t-\nodd\t0\t3\tT\t-\t//4=\n',
    )
    expect(await ok(['consume', 'odd', '-n', '1', '-e', '--format', 'name'])).toBe('odd/0@0\n')
    const wide = await ok(['consume', 'odd', '-o', '1:2', '--format', 'wide'])
    expect(wide).toMatch(/^odd\/0@1 {2}- {2}a—b {2}\d{4}-\d\d-\d\dT[\d:.]+Z\n$/)
  })

  it('json is one document, ndjson a line for each', async () => {
    const document = JSON.parse(await ok(['consume', 'ten', '-e', '-n', '2', '--format', 'json']))
    const item = {
      topic: 'ten',
      partition: 0,
      offset: '1',
      timestamp: expect.stringMatching(/^\d{13}$/),
      key: null,
      value: '1',
      headers: [],
      base64: [],
    }
    expect(document).toMatchObject({ apiVersion: 'naru/v1', kind: 'RecordList', errors: [] })
    expect(document.items[1]).toEqual(item)
    const nothing = await ok(['consume', 'ten', '-o', 'end', '-e', '--format', 'json'])
    expect(JSON.parse(nothing)).toEqual({ ...document, items: [] })
    const lines = (await ok(['consume', 'ten', '-o', '1:2', '--format', 'ndjson'])).trimEnd()
    expect(JSON.parse(lines)).toEqual(item)
  })

  it('says what a partition holds when it does not hold the offset', async () => {
    const { code, stderr } = await run(['consume', 'ten', '-o', '100'])
    expect(code).toBe(1)
    expect(stderr).toContain(
      'ten/0 has no offset 100, it holds offsets 0 to 9 (OFFSET_OUT_OF_RANGE, 1)',
    )
    expect(stderr).toContain('hint: -o 100:end reads')
    const absent = await run(['consume', 'ten', '-p', '4'])
    expect(absent.code).toBe(1)
    expect(absent.stderr).toContain('ten has no partition 4 (UNKNOWN_TOPIC_OR_PARTITION, 3)')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'follows, and ends well by %s, its document whole',
    async (signal) => {
      const topic = `followed-${signal}`
      await filled(topic, ['before'])
      const args = ['consume', topic, '-o', 'start', '--format', 'json']
      const { child, ended, until } = startNaru(args, { env })
      await until('"before"')
      await ok(['produce', topic], 'after\n')
      await until('"after"')
      child.kill(signal)
      const { code, stdout, stderr } = await ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const { items } = JSON.parse(stdout)
      expect(items.map(({ value }: { value: string }) => value)).toEqual(['before', 'after'])
    },
  )

  it('ends its document with the failure when the broker goes away', async () => {
    await using other = await BrokerProcess.start()
    const flags = ['-b', other.bootstrap, '--timeout', '600ms']
    expect((await naru(['topic', 'create', 'cut', ...flags])).code).toBe(0)
    expect((await naru(['produce', 'cut', ...flags], { input: 'x\n' })).code).toBe(0)
    const args = ['consume', 'cut', '-o', 'start', '--format', 'json', ...flags]
    const { ended, until } = startNaru(args)
    await until('"x"')
    await other.kill()
    const { code, stdout, stderr } = await ended
    expect(code).toBe(3)
    const { kind, items, errors } = JSON.parse(stdout)
    expect({ kind, count: items.length, code: errors[0].code }).toEqual({
      kind: 'RecordList',
      count: 1,
      code: 'NARU-NET-002',
    })
    expect(stderr).toContain('✗ Cannot read topic cut: ')
  })

  it('keeps no more than its reader takes', async () => {
    const line = 'x'.repeat(100_000)
    await ok(['topic', 'create', 'slow'])
    await ok(['produce', 'slow', '-z', 'zstd'], `${line}\n`.repeat(200))
    const measure = `
      const { stdout } = process
      const { write } = stdout
      let peak = 0
      stdout.write = (...args) => {
        const hasRoom = write.apply(stdout, args)
        peak = Math.max(peak, stdout.writableLength)
        return hasRoom
      }
      process.on('exit', () => process.stderr.write(String(peak)))`
    const node = ['--import', `data:text/javascript,${encodeURIComponent(measure)}`]
    const args = ['consume', 'slow', '-e', '-f', '%v']
    const { code, stdout, stderr } = await naru(args, { env, node })
    expect({ code, bytes: stdout.length }).toEqual({ code: 0, bytes: 200 * line.length })
    expect(Number(stderr)).toBeLessThan(1_000_000)
  })

  it('is quiet when nobody reads any more', async () => {
    await filled(
      'long',
      Array.from({ length: 2_000 }, (_, n) => `${n}-${'x'.repeat(1_000)}`),
    )
    const consume = `"${process.execPath}" packages/cli/bin/naru.js consume long -o start`
    const script = `{ ${consume} -f '%o\\n%v\\n' 2>&1; echo "exit $?" >&2; } 2>&3 | head -n 1`
    const options = { cwd: root, env: { ...process.env, ...env }, timeout: 20_000 } as const
    const printed = execFileSync('bash', ['-c', `(${script}) 3>&1`], options)
    expect(printed.toString().split('\n').sort()).toEqual(['', '0', 'exit 0'])
  })
})
