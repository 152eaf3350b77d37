import type { Command } from 'commander'
import { examples } from './command-views.ts'
import { brokersMax, portMax } from './dev/port-rule.ts'
import { wholeNumber } from './options.ts'

export function addBrokerCommands(naru: Command): void {
  naru
    .command('dev')
    .description('run brokers on this machine, data in .naru/')
    .option(
      '-n, --brokers <n>',
      'number of brokers (default: as before, or 3)',
      wholeNumber('--brokers', 1, brokersMax),
    )
    .option(
      '--port <port>',
      'Kafka port of the first broker (default: as before, or 9092)',
      wholeNumber('--port', 1, portMax),
    )
    .option('--directory <path>', 'where the data lies', '.naru')
    .option('--json', 'print lines for machines')
    .addHelpText(
      'after',
      examples('naru dev', 'naru dev -n 1', 'naru dev --port 19092 --directory /tmp/try'),
    )
    .action(async (options) => (await import('./commands/dev.ts')).dev(options))
  naru
    .command('start')
    .description('run one broker in this process')
    .option('-c, --config <file>', 'configuration in the form of server.properties')
    .option('--set <key=value>', 'one setting; may be repeated', collect, [])
    .addHelpText(
      'after',
      examples(
        'naru start -c server.properties',
        'naru start --set log.dirs=/data --set listeners=PLAINTEXT://0.0.0.0:9092',
      ),
    )
    .action(async (options) => (await import('./commands/start.ts')).start(options))
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
