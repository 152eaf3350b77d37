/** What happened in the cluster. */
import { type Command, Option } from 'commander'
import { connected, examples } from './command-views.ts'
import { duration } from './options.ts'
import { formats } from './output.ts'

export function addEvents(naru: Command): void {
  const events = () => import('./commands/events.ts')
  const timeline = naru
    .command('events')
    .description('what happened: elections, in-sync sets, fenced brokers, topics, moves')
    .addOption(
      new Option('--since <time>', 'how long ago; voters keep about a week')
        .argParser(duration('--since'))
        .default(3_600_000, '1h'),
    )
    .option('-f, --follow', 'go on with what happens from now on, until it is interrupted')
  connected(timeline, formats, events)
    .addHelpText(
      'after',
      examples(
        'naru events --since 10m',
        'naru events --follow',
        'naru events --since 7d --format json',
      ),
    )
    .action(async (options) => (await events()).run(options))
}
