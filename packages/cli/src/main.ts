import { Command, CommanderError } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { Failure, renderFailure } from './failure.ts'
import { version } from './version.ts'

/** Every command, its options declared here so that help costs no import; what it does is loaded when it runs. */
function program(): Command {
  const naru = new Command('naru')
    .description('An event-streaming platform that speaks the Kafka protocol')
    .version(version, '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
  naru
    .command('dev')
    .description('run a broker on this machine, data in .naru/')
    .option('-n, --brokers <n>', 'number of brokers (one, until there is replication)', '1')
    .option('--port <port>', 'port of the Kafka protocol', '9092')
    .option('--directory <path>', 'where the data lies', '.naru')
    .option('--json', 'print lines for machines')
    .action(async (options) => (await import('./commands/dev.ts')).dev(options))
  naru
    .command('start')
    .description('run one broker in this process')
    .option('-c, --config <file>', 'configuration in the form of server.properties')
    .option('--set <key=value>', 'one setting; may be repeated', collect, [])
    .action(async (options) => (await import('./commands/start.ts')).start(options))
  addTopicCommands(naru)
  addDataCommands(naru)
  return naru
}

function addTopicCommands(naru: Command): void {
  const topic = naru.command('topic').description('topics: create, list, describe, set, delete')
  connected(topic.command('create <name>'))
    .description('create a topic')
    .option('-p, --partitions <n>', 'number of partitions', '-1')
    .option('-r, --replicas <n>', 'replication factor', '-1')
    .option('-c, --config <key=value>', 'a setting of the topic; may be repeated', collect, [])
    .option('--dry-run', 'only say what would happen')
    .action(async (name, options) => (await topicCommands()).create(name, options))
  connected(topic.command('list'))
    .description('list topics')
    .action(async (options) => (await topicCommands()).list(options))
  connected(topic.command('describe <name>'))
    .description('partitions and settings of a topic')
    .action(async (name, options) => (await topicCommands()).describe(name, options))
  connected(topic.command('set <name> <settings...>'))
    .description('change settings: key=value sets, key= goes back to the default')
    .option('--dry-run', 'only check')
    .action(async (name, settings, options) => (await topicCommands()).set(name, settings, options))
  connected(topic.command('delete <name>'))
    .description('delete a topic and its records')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would happen')
    .action(async (name, options) => (await topicCommands()).remove(name, options))
}

function addDataCommands(naru: Command): void {
  connected(naru.command('produce <topic> [file]'))
    .description('write one record for each line of a file or of standard input')
    .option('-k, --key <key>', 'key of every record')
    .option('--key-separator <text>', 'what parts key and value in a line')
    .option('-H, --header <key=value>', 'a header of every record; may be repeated', collect, [])
    .option('-p, --partition <n>', 'write to this partition')
    .option('-z, --compression <codec>', 'none, gzip, snappy, lz4 or zstd', 'none')
    .option('--tombstone', 'write a record without a value (needs --key)')
    .action(async (topic, file, options) => {
      const { produce } = await import('./commands/produce.ts')
      await produce(topic, file, options)
    })
  connected(naru.command('consume <topic>'))
    .description('read records; follows the topic until it is interrupted')
    .option('-o, --offset <offset>', 'start, end, N, -N (before the end) or @TIME', 'end')
    .option('-p, --partition <n>', 'read this partition only')
    .option('-n, --number <n>', 'stop after so many records')
    .option('-e, --exit', 'stop at the end of the topic as it is now')
    .action(async (topic, options) => {
      const { consume } = await import('./commands/consume.ts')
      await consume(topic, options)
    })
}

function connected(command: Command): Command {
  return command
    .option('-b, --bootstrap <host:port>', 'address of a broker')
    .option('--format <format>', 'table or json', 'table')
}

async function topicCommands() {
  return import('./commands/topic.ts')
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** Everything that a command throws ends here. */
async function main(): Promise<void> {
  try {
    await program().parseAsync(process.argv)
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    } else if (error instanceof Failure) {
      process.stderr.write(renderFailure(error))
      process.exitCode = error.exitCode
    } else {
      throw error
    }
  }
}

// Nobody reads any more (`naru consume t | head`): a quiet end, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exitCodes.ok)
})

await main()
