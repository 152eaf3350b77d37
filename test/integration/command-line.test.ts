// The conventions of the command line, by the real program against a real broker: formats, exit codes, confirmations, colour, help.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { isInstalled } from '../support/installed.ts'
import { type Ended, naru, startNaru, startNaruOnTerminal } from '../support/naru.ts'
import { freePort } from '../support/ports.ts'

/** How a sequence begins that colours a terminal. */
const control = '\x1b['

let broker: BrokerProcess
let env: Record<string, string>

beforeAll(async () => {
  broker = await BrokerProcess.start()
  env = { NARU_BOOTSTRAP: broker.bootstrap }
  await ok(['topic', 'create', 'sales', '-p', '3'])
  await ok(['produce', 'sales', '-k', 'user-7'], '1\n2\n3\n4\n5\n')
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

function run(args: readonly string[], input = ''): Promise<Ended> {
  return naru(args, { env, input })
}

/** What a command that succeeds prints. */
async function ok(args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await run(args, input)
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}

describe('formats', () => {
  it('table: no bsales, two spaces, numbers to the right, and none of them elsewhere', async () => {
    await ok(['topic', 'create', 'a-longer-name', '-p', '12'])
    expect(await ok(['topic', 'list'])).toBe(
      [
        'NAME           PARTITIONS  REPLICAS',
        'a-longer-name          12         1',
        'sales                   3         1',
        '',
      ].join('\n'),
    )
    await ok(['topic', 'delete', 'a-longer-name', '--yes'])
  })

  it('json: one document, 64-bit numbers as strings', async () => {
    const list = await ok(['topic', 'list', '--format', 'json'])
    expect(JSON.parse(list)).toEqual({
      apiVersion: 'naru/v1',
      kind: 'TopicList',
      items: [
        {
          name: 'sales',
          partitions: 3,
          replicas: 1,
          underReplicated: 0,
          leaderless: 0,
          topicId: expect.stringMatching(/^[\w-]{22}$/),
        },
      ],
      errors: [],
    })
    const described = JSON.parse(await ok(['topic', 'describe', 'sales', '--format', 'json']))
    expect(described.kind).toBe('TopicDescription')
    expect(described.items[0].partitions[2]).toEqual({
      partition: 2,
      leader: 1,
      replicas: [1],
      isr: [1],
      start: '0',
      end: '5',
      records: '5',
      leaderEpoch: 0,
      elr: [],
      state: [],
    })
  })

  it('tsv: no header, a stable order, - for empty; name: names; ndjson: a line for each', async () => {
    expect(await ok(['topic', 'list', '--format', 'name'])).toBe('sales\n')
    const tsv = await ok(['topic', 'list', '--format', 'tsv'])
    expect(tsv).toMatch(/^sales\t3\t1\t0\t0\t[\w-]{22}\n$/)
    const change = ['topic', 'set', 'sales', 'retention.ms=', '--dry-run', '--format', 'tsv']
    expect(await ok(change)).toBe('sales\tretention.ms\t604800000\t-\n')
    const lines = (await ok(['topic', 'list', '--format', 'ndjson'])).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(['sales'])
  })

  it.each([
    [['topic', 'list'], 'leaderless'],
    [['topic', 'describe'], 'partitions[].leaderEpoch'],
    [['topic', 'create'], 'settings'],
    [['topic', 'set'], 'before'],
    [['topic', 'delete'], 'records'],
    [['consume'], 'timestamp'],
    [['produce'], 'first'],
    [['errors'], 'remedy'],
    [['version'], 'platform'],
  ])('help of %j is printed without a cluster', async (command, field) => {
    const nowhere = { env: { NARU_BOOTSTRAP: 'nohost.invalid:1' } }
    const { code, stdout } = await naru([...command, '--format', 'help'], nowhere)
    expect(code).toBe(0)
    expect(stdout).toContain('"apiVersion":"naru/v1"')
    expect(stdout).toMatch(new RegExp(`^${RegExp.escape(field)} `, 'm'))
  })

  it('refuses an unknown one with the list', async () => {
    const { code, stdout, stderr } = await run(['topic', 'list', '--format', 'yaml'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('There is no format "yaml" here')
    expect(stderr).toContain('Formats are table, wide, json, ndjson, tsv, name')
  })

  it('json: a failure is a document too, beside the lines for people', async () => {
    const { code, stdout, stderr } = await run(['topic', 'describe', 'salse', '--format', 'json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'naru/v1',
      kind: 'Error',
      error: {
        code: 'KAFKA-3',
        reason: 'UNKNOWN_TOPIC_OR_PARTITION',
        message:
          'Cannot describe topic salse: there is no topic salse (UNKNOWN_TOPIC_OR_PARTITION, 3)',
        where: `${broker.bootstrap} (from NARU_BOOTSTRAP)`,
        hint: 'Did you mean sales?',
        docs: 'naru errors KAFKA-3',
      },
    })
    expect(stderr).toBe(
      [
        '✗ Cannot describe topic salse: there is no topic salse (UNKNOWN_TOPIC_OR_PARTITION, 3)',
        `  where: ${broker.bootstrap} (from NARU_BOOTSTRAP)`,
        '  hint: Did you mean sales?',
        '  code: KAFKA-3   docs: naru errors KAFKA-3',
        '',
      ].join('\n'),
    )
  })

  it('json: also for a command line that cannot be understood', async () => {
    const { code, stdout } = await run(['topic', 'list', '--format=json', '--colour'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'NARU-CLI-001', reason: 'USAGE' })
  })
})

describe('command lines', () => {
  it.each([
    [['topic', 'lst'], "Unknown command 'lst'", 'Did you mean list?'],
    [['consme', 'sales'], "Unknown command 'consme'", 'Did you mean consume?'],
    [['help', 'consme'], "Unknown command 'consme'", 'Did you mean consume?'],
    [['topic', 'list', '--fromat', 'json'], "Unknown option '--fromat'", 'Did you mean --format?'],
    [['topic', 'list', 'sales'], "Too many arguments for 'list'", '`naru topic list --help`'],
    [['topic', 'create'], "Missing required argument 'name'", '`naru topic create --help`'],
    [['topic', 'create', 'x', '-p', '0'], '--partitions takes a whole number from 1', ''],
    [['topic', 'create', 'x', '-p', '1e3'], '--partitions takes a whole number from 1', ''],
    [['topic', 'create', 'x', '-c', 'a'], '--config takes key=value, not "a"', ''],
    [['topic', 'create', 'x', '-c', 'a=1', '-c', 'a=2'], '--config names a twice', ''],
    [['topic', 'list', '--timeout', '5'], '--timeout takes a time like 500ms, 10s', ''],
    [['topic', 'list', '--color', 'red'], 'Allowed choices are auto, always, never', ''],
    [
      ['topic', 'list', '-b', 'localhost:99999'],
      'cannot read the address "localhost:99999"',
      'host:port',
    ],
    [['topic', 'list', '-b', 'PLAINTEXT://localhost:9092'], 'cannot read the address', 'host:port'],
    [['consume', 'sales', '-o', 'soon'], 'Cannot read the offset "soon"', '@TIME'],
    [['consume', 'sales', '-n', 'x'], '--number takes a whole number', ''],
    [['consume', 'sales', '-f', '%q'], 'Cannot read "%q" in the template', '%k key'],
    [['consume', 'sales', '-f', '%v', '--format', 'tsv'], 'cannot be used with option', ''],
    [['produce', 'sales', '-z', 'brotli'], 'Allowed choices are none, gzip, snappy, lz4, zstd', ''],
    [['produce', 'sales', '--tombstone'], '--tombstone needs the --key', ''],
    [['produce', 'sales', '-k', 'a', '--key-separator', ':'], 'cannot be used with option', ''],
    [['produce', 'sales', 'no-such-file'], 'Cannot read no-such-file: there is no such file', ''],
    [['produce', 'sales', '/'], 'Cannot read /: it is a directory', ''],
    [['start', '-c', 'no-such-file'], 'Cannot read the configuration', 'server.properties'],
    [['errors', 'NARU-NET-0004'], 'There is no error NARU-NET-0004', 'Did you mean NARU-NET-004?'],
  ])('%j is refused', async (args, message, hint) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
    expect(stderr).toMatch(/^✗ [A-Z-].*\n( {2}.*\n)+$/)
  })

  it('finds the address in the order flag, NARU_BOOTSTRAP, KAFKA_BOOTSTRAP_SERVERS', async () => {
    const there = broker.bootstrap
    const tries: [string[], Record<string, string>][] = [
      [['-b', there], { NARU_BOOTSTRAP: 'localhost:1' }],
      [['--bootstrap-server', `localhost:1,${there}`], {}],
      [[], { NARU_BOOTSTRAP: there, KAFKA_BOOTSTRAP_SERVERS: 'localhost:1' }],
      [[], { NARU_BOOTSTRAP: '', KAFKA_BOOTSTRAP_SERVERS: there }],
    ]
    const ends = await Promise.all(
      tries.map(([flags, vars]) => naru(['topic', 'list', ...flags], { env: vars })),
    )
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0])
  })
})

describe('help', () => {
  const commands = [
    ['dev'],
    ['start'],
    ['topic', 'create'],
    ['topic', 'list'],
    ['topic', 'describe'],
    ['topic', 'set'],
    ['topic', 'delete'],
    ['produce'],
    ['consume'],
    ['errors'],
    ['version'],
  ]

  /** The lines after `$` in the help of a command. */
  async function examplesOf(command: readonly string[]): Promise<string[]> {
    const help = await ok([...command, '--help'])
    expect(await ok(['help', ...command])).toBe(help)
    return [...help.matchAll(/^ {2}\$ (.*)$/gm)].map((match) => match[1] as string)
  }

  it('lists the commands and exit codes, and does so for an empty command line', async () => {
    const help = await ok([])
    expect(help).toContain('Usage: naru [options] [command]')
    expect(help).toContain('3    the cluster could not be reached')
    expect(await ok(['help'])).toBe(help)
  })

  it('shows examples that work', async () => {
    const examples = (await Promise.all(commands.map(examplesOf))).flat()
    expect(examples.length).toBeGreaterThan(15)
    // What runs a broker does not end by itself, and the deletion comes last.
    const ending = examples.filter((line) => !/naru (dev|start)/.test(line))
    const isDeletion = (line: string) => line.includes('topic delete')
    const ordered = [...ending.filter((l) => !isDeletion(l)), ...ending.filter(isDeletion)]
    for (const line of ordered) {
      const input = line.startsWith('echo hello | ') ? 'hello\n' : 'key:value\n'
      const words = line.replace(/^echo hello \| /, '').replace('lines.txt', '-')
      const args = words.split(' ').slice(1)
      const unquoted = args
        .join(' ')
        .match(/'[^']*'|\S+/g)
        ?.map((w) => w.replaceAll("'", ''))
      const { code, stderr } = await run(unquoted ?? [], input.repeat(5))
      expect({ line, code, stderr }).toMatchObject({ line, code: 0 })
    }
  })

  it('explains codes by number and by name', async () => {
    expect(await ok(['errors', '3'])).toContain('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await ok(['errors', 'unknown_topic_or_partition'])).toContain('KAFKA-3')
    expect(await ok(['errors', 'naru-net-004'])).toContain('What to do: Use the plaintext listener')
  })
})

describe('topics', () => {
  const args = ['topic', 'create', 'made', '-p', '2', '-c', 'retention.ms=7000']

  beforeEach(() => ok(args))
  afterEach(() => ok(['topic', 'delete', 'made', '--yes']))

  it('says what a creation would do, and does it', async () => {
    await ok(['topic', 'delete', 'made', '--yes'])
    const would = await ok([...args, '--dry-run'])
    expect(would).toBe('would create made · 2 partitions · 1 replica\n  retention.ms=7000\n')
    const dry = JSON.parse(await ok([...args, '--dry-run', '--format', 'json']))
    expect(dry).toMatchObject({ kind: 'TopicCreation', applied: false })
    const done = JSON.parse(await ok([...args, '--format', 'json']))
    expect(done).toEqual({ ...dry, applied: true })
    const again = await run(args)
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('(TOPIC_ALREADY_EXISTS, 36)')
  })

  it('describes leader, replicas, offsets and the settings that are not the default', async () => {
    const text = await ok(['topic', 'describe', 'made'])
    expect(text.replace(/id \S+/, 'id ID')).toBe(
      [
        'made · 2 partitions · 1 replica · id ID',
        '',
        'SETTING       VALUE  SOURCE',
        'retention.ms  7000   topic',
        '',
        'PARTITION  LEADER  REPLICAS  ISR  START  END  RECORDS  ELR  STATE',
        '        0       1  1         1        0    0        0  -    -',
        '        1       1  1         1        0    0        0  -    -',
        '',
      ].join('\n'),
    )
  })

  it('says what a change of settings would do, and does it', async () => {
    const set = (...words: string[]) => ok(['topic', 'set', 'made', ...words])
    expect(await set('retention.ms=9000', '--dry-run')).toBe(
      'would configure made\n  retention.ms  7000 → 9000\n',
    )
    expect(await set('retention.ms=9000')).toBe('✓ configured made\n  retention.ms  7000 → 9000\n')
    expect(await set('retention.ms=')).toContain('9000 → the default')
    expect(await ok(['topic', 'describe', 'made'])).not.toContain('retention.ms')
  })

  it('names the nearest setting, and the reason for a bad value', async () => {
    const unknown = await run(['topic', 'set', 'made', 'retention.sm=1'])
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain('hint: Did you mean retention.ms?')
    const bad = await run(['topic', 'set', 'made', 'retention.ms=soon'])
    expect(bad.code).toBe(1)
    expect(bad.stderr).toContain('Invalid value soon for retention.ms')
    expect(bad.stderr).toContain('(INVALID_CONFIG, 40)')
  })

  it('deletes only what is confirmed: 5 and the flag without a terminal', async () => {
    const dry = await ok(['topic', 'delete', 'sales', '--dry-run', '--format', 'json'])
    const plan = JSON.parse(dry)
    expect(plan).toEqual({
      apiVersion: 'naru/v1',
      kind: 'TopicDeletion',
      applied: false,
      items: [{ name: 'sales', partitions: 3, records: '5' }],
      errors: [],
    })
    expect(await ok(['topic', 'delete', 'sales', '--dry-run'])).toBe(
      'would delete sales · 3 partitions · 5 records\n',
    )
    const refused = await run(['topic', 'delete', 'sales'])
    expect(refused.code).toBe(5)
    expect(refused.stderr).toContain('3 partitions and 5 records')
    expect(refused.stderr).toContain('Add --yes')
    expect(await ok(['topic', 'list', '--format', 'name'])).toContain('sales\n')
    await ok(['topic', 'create', 'lost'])
    const real = await ok(['topic', 'delete', 'lost', '--yes', '--format', 'json'])
    expect(JSON.parse(real)).toMatchObject({ applied: true, items: [{ name: 'lost' }] })
  })
})

describe.skipIf(!isInstalled('script'))('on a terminal', () => {
  it.each([
    ['another\n', 5, 'Not confirmed: nothing was done'],
    ['\x04', 5, 'Not confirmed: nothing was done'],
    ['\x03', 130, 'Interrupted: nothing was done'],
  ])('a deletion answered with %j is not done', async (answer, code, message) => {
    const { child, ended, until } = startNaruOnTerminal(['topic', 'delete', 'sales'], { env })
    await until('Type the name of the topic')
    child.stdin.write(answer)
    const { code: found, stdout } = await ended
    expect(stdout).toContain('This would delete topic sales, which has 3 partitions and 5 records')
    expect(stdout).toContain(message)
    expect(found).toBe(code)
  })

  it('a deletion is done when the name is typed, or y where there is nothing to lose', async () => {
    await ok(['topic', 'create', 'empty'])
    await ok(['topic', 'create', 'full'])
    await ok(['produce', 'full'], 'x\n')
    for (const [topic, answer] of [
      ['empty', 'y\n'],
      ['full', 'full\n'],
    ] as const) {
      const { child, ended, until } = startNaruOnTerminal(['topic', 'delete', topic], { env })
      await until(topic === 'empty' ? 'Delete it? (y/n)' : 'Type the name')
      child.stdin.write(answer)
      expect((await ended).code).toBe(0)
    }
    expect(await ok(['topic', 'list', '--format', 'name'])).toBe('sales\n')
  })

  it('has colour, unless somebody wants none', async () => {
    const onTerminal = async (args: string[], vars: Record<string, string> = {}) =>
      (await startNaruOnTerminal(['topic', 'list', ...args], { env: { ...env, ...vars } }).ended)
        .stdout
    const [plain, never, noColor, always] = await Promise.all([
      onTerminal([]),
      onTerminal(['--color', 'never']),
      onTerminal([], { NO_COLOR: '1' }),
      onTerminal(['--color', 'always'], { NO_COLOR: '1' }),
    ])
    expect(plain).toContain(control)
    expect(never).not.toContain(control)
    expect(noColor).not.toContain(control)
    expect(always).toContain(control)
    expect(always).not.toContain('Warning')
  })
})

describe('elsewhere', () => {
  it('has no colour in a pipe, unless somebody wants it', async () => {
    const forced = { env: { ...env, FORCE_COLOR: '1' } }
    const [piped, always, env1, never] = await Promise.all([
      naru(['topic', 'list'], { env }),
      naru(['topic', 'list', '--color', 'always'], { env }),
      naru(['topic', 'list'], forced),
      naru(['topic', 'list', '--color', 'never'], forced),
    ])
    expect(piped.stdout).not.toContain(control)
    expect(always.stdout).toContain(control)
    expect(env1.stdout).toContain(control)
    expect(never.stdout).not.toContain(control)
    const failed = await naru(['topic', 'list', '-b', 'localhost:1', '--color', 'always'])
    expect(failed.stderr).toContain(`${control}31m✗`)
  })

  it('loads neither broker nor logger to ask a cluster', async () => {
    const hook =
      "import{registerHooks}from'node:module';registerHooks({load(u,c,n){process.stderr.write(u+'\\n');return n(u,c)}})"
    const node = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
    const { stdout, stderr } = await naru(['topic', 'list'], { env, node })
    expect(stdout).toContain('sales')
    expect(stderr).toContain('/packages/client/')
    expect(stderr).not.toMatch(/\/packages\/(broker|services|log|network|kafka-api|consensus)\//)
    expect(stderr).not.toMatch(/\/node_modules\/(pino|level|classic-level)\//)
  })
})

describe('start', () => {
  it('takes no offence at the variables of clients, and ends well by SIGTERM', async () => {
    const settings = ['listeners=PLAINTEXT://127.0.0.1:0', `log.dirs=${broker.directory}/started`]
    const flags = settings.flatMap((setting) => ['--set', setting])
    const { child, ended, until } = startNaru(['start', ...flags], {
      env: { ...env, NARU_NONSENSE: '1' },
    })
    await until('broker-ready')
    child.kill('SIGTERM')
    const { code, stdout } = await ended
    expect(code).toBe(0)
    expect(stdout).toContain('"variables":["NARU_NONSENSE"]')
    expect(stdout).toContain('broker-stopped')
  })
  it("takes a file of Kafka's for one node that is broker and controller", async () => {
    const file = join(broker.directory, 'kafka.properties')
    const controller = `127.0.0.1:${await freePort()}`
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.bootstrap.servers=${controller}`,
      `listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://${controller}`,
      'controller.listener.names=CONTROLLER',
      `log.dirs=${broker.directory}/kafka`,
    ]
    writeFileSync(file, lines.join('\n'))
    const { child, ended, until } = startNaru(['start', '-c', file], { env })
    await until('broker-ready')
    child.kill('SIGTERM')
    const { code, stdout } = await ended
    expect(code).toBe(0)
    expect(stdout).not.toContain('keys-without-effect')
  })
})
