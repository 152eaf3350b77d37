import type { Command } from 'commander'
import { connected, examples } from './command-views.ts'
import { keyValue, wholeNumber } from './options.ts'
import { formats } from './output.ts'

export function addTopicCommands(topic: Command): void {
  const create = () => import('./commands/topic-create.ts')
  const creation = topic
    .command('create <name>')
    .description('create a topic')
    .option(
      '-p, --partitions <n>',
      "number of partitions (default: the cluster's)",
      wholeNumber('--partitions', 1),
    )
    .option(
      '-r, --replicas <n>',
      "replication factor (default: the cluster's)",
      wholeNumber('--replicas', 1, 32_767),
    )
    .option(
      '-c, --config <key=value>',
      'a setting of the topic; may be repeated',
      keyValue('--config'),
    )
    .option('--dry-run', 'only say what would happen')
  connected(creation, formats, create)
    .addHelpText(
      'after',
      examples(
        'naru topic create orders -p 3',
        'naru topic create logs -c retention.ms=86400000 --dry-run',
      ),
    )
    .action(async (name, options) => (await create()).run(name, options))

  const list = () => import('./commands/topic-list.ts')
  connected(topic.command('list').description('list topics'), formats, list)
    .addHelpText('after', examples('naru topic list', 'naru topic list --format name'))
    .action(async (options) => (await list()).run(options))

  const describe = () => import('./commands/topic-describe.ts')
  const description = topic
    .command('describe <name>')
    .description('partitions of a topic, and its settings that are not the default')
  connected(description, formats, describe)
    .addHelpText(
      'after',
      examples('naru topic describe orders', 'naru topic describe orders --format json'),
    )
    .action(async (name, options) => (await describe()).run(name, options))
  addTopicChanges(topic)
}

function addTopicChanges(topic: Command): void {
  const set = () => import('./commands/topic-set.ts')
  const change = topic
    .command('set <name> <settings...>')
    .description('change settings: key=value sets, key= goes back to the default')
    .option('--dry-run', 'only check, and say what would change')
  connected(change, formats, set)
    .addHelpText(
      'after',
      examples(
        'naru topic set orders retention.ms=3600000',
        'naru topic set orders retention.ms= --dry-run',
      ),
    )
    .action(async (name, settings: string[], options) => {
      const read = keyValue('naru topic set')
      const wanted = settings.reduce((before, text) => read(text, before), {})
      await (await set()).run(name, wanted, options)
    })

  const remove = () => import('./commands/topic-delete.ts')
  const deletion = topic
    .command('delete <name>')
    .description('delete a topic and its records; asks before it does')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would be deleted')
  connected(deletion, formats, remove)
    .addHelpText(
      'after',
      examples('naru topic delete orders --dry-run', 'naru topic delete orders --yes'),
    )
    .action(async (name, options) => (await remove()).run(name, options))
}
