import type { Command } from 'commander'
import { connected, examples } from './command-views.ts'
import { endpoint, wholeNumber } from './options.ts'
import { formats } from './output.ts'

export function addQuorumCommands(naru: Command): void {
  const quorum = naru
    .command('quorum')
    .description('the metadata quorum: status, add, remove, transfer')
  const status = () => import('./commands/quorum-status.ts')
  const showing = quorum
    .command('status')
    .description('leader, voters and observers, and how far each has come')
  connected(showing, formats, status)
    .addHelpText('after', examples('naru quorum status', 'naru quorum status --format json'))
    .action(async (options) => (await status()).run(options))

  const add = () => import('./commands/quorum-add.ts')
  const addition = quorum
    .command('add')
    .description('make a node that follows the quorum a voter')
    .argument('<id>', 'number of the node', wholeNumber('id', 0))
    .option('--directory-id <id>', 'its metadata directory (default: the one it follows with)')
    .option(
      '--endpoint <name://host:port>',
      'where its controller is reached; Apache Kafka needs it; may be repeated',
      endpoint('--endpoint'),
    )
    .option('--dry-run', 'only say what would happen')
  connected(addition, formats, add)
    .addHelpText('after', examples('naru quorum add 4', 'naru quorum add 4 --dry-run'))
    .action(async (number, options) => (await add()).run(number, options))

  const remove = () => import('./commands/quorum-remove.ts')
  const removal = quorum
    .command('remove')
    .description('take the vote from a node; asks before it does')
    .argument('<id>', 'number of the node', wholeNumber('id', 0))
    .option('--directory-id <id>', 'its metadata directory (default: the one it votes with)')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would happen')
  connected(removal, formats, remove)
    .addHelpText('after', examples('naru quorum remove 4 --dry-run', 'naru quorum remove 4 --yes'))
    .action(async (number, options) => (await remove()).run(number, options))

  const transfer = () => import('./commands/quorum-transfer.ts')
  const change = quorum
    .command('transfer')
    .description('have another voter lead; asks before it does')
    .argument('<id>', 'number of the node', wholeNumber('id', 0))
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would happen')
  connected(change, formats, transfer)
    .addHelpText(
      'after',
      examples('naru quorum transfer 2 --dry-run', 'naru quorum transfer 2 --yes'),
    )
    .action(async (number, options) => (await transfer()).run(number, options))
}
