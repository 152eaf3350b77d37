import type { Command } from 'commander'
import { connected, examples } from './command-views.ts'
import { brokerIds, wholeNumber } from './options.ts'
import { formats } from './output.ts'
import { partitionName, partitionNames } from './partition-name.ts'

export function addPartitionCommands(naru: Command): void {
  const partition = naru
    .command('partition')
    .description('partitions: list, describe, why, elect, move')
  addPartitionViews(partition)
  addPartitionChanges(partition)
}

function addPartitionViews(partition: Command): void {
  const list = () => import('./commands/partition-list.ts')
  const listing = partition
    .command('list')
    .description('leader, replicas and state of each partition; filters add up')
    .option('--topic <name>', 'of this topic')
    .option('--leader <id>', 'led by this broker', wholeNumber('--leader', 0))
    .option('--offline', 'that nobody leads')
    .option('--under-min-isr', 'of which too few replicas are in sync for acks=all')
    .option('--under-replicated', 'of which some replica is not in sync')
    .option('--moving', 'that are being reassigned')
  connected(listing, formats, list)
    .addHelpText(
      'after',
      examples('naru partition list --topic orders', 'naru partition list --under-replicated'),
    )
    .action(async (options) => (await list()).run(options))

  const describe = () => import('./commands/partition-describe.ts')
  const description = partition
    .command('describe')
    .description('each replica of a partition, and how far it is moved')
    .argument('<topic:partition>', 'such as orders:0', partitionName)
  connected(description, formats, describe)
    .addHelpText(
      'after',
      examples(
        'naru partition describe orders:0',
        'naru partition describe orders:0 --format json',
      ),
    )
    .action(async (named, options) => (await describe()).run(named, options))

  const why = () => import('./commands/partition-why.ts')
  const reason = partition
    .command('why')
    .description('why a partition has its leader and its replicas in sync, in words')
    .argument('<topic:partition>', 'such as orders:0', partitionName)
  connected(reason, formats, why)
    .addHelpText(
      'after',
      examples('naru partition why orders:0', 'naru partition why orders:0 --format json'),
    )
    .action(async (named, options) => (await why()).run(named, options))
}

function addPartitionChanges(partition: Command): void {
  const elect = () => import('./commands/partition-elect.ts')
  const election = partition
    .command('elect')
    .description('have the preferred replica lead, which is the first one')
    .argument('[topic:partition...]', 'such as orders:0', partitionNames)
    .option('--all', 'all partitions that need it')
    .option(
      '--unclean',
      'where nobody leads: a replica that may lack acknowledged records; asks before it does',
    )
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would happen')
  connected(election, formats, elect)
    .addHelpText(
      'after',
      examples(
        'naru partition elect --all',
        'naru partition elect orders:0 orders:1',
        'naru partition elect orders:0 --unclean --dry-run',
      ),
    )
    .action(async (named, options) => (await elect()).run(named ?? [], options))

  const move = () => import('./commands/partition-move.ts')
  const moving = partition
    .command('move')
    .description('move a partition to other brokers, or take that back')
    .argument('<topic:partition>', 'such as orders:0', partitionName)
    .option('--to <ids>', 'brokers with commas between, the preferred one first', brokerIds('--to'))
    .option('--cancel', 'stay where it was before it began to move')
    .option('--dry-run', 'only say what would happen')
  connected(moving, formats, move)
    .addHelpText(
      'after',
      examples(
        'naru partition move orders:0 --to 2,3,4 --dry-run',
        'naru partition move orders:0 --to 2,3,4',
        'naru partition move orders:0 --cancel',
      ),
    )
    .action(async (named, options) => (await move()).run(named, options))
}
