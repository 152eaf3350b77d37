/** The cluster itself, and the brokers that it has. */
import { type Command, Option } from 'commander'
import { connected, examples } from './command-views.ts'
import { wholeNumber } from './options.ts'
import { formats } from './output.ts'

export function addClusterCommands(naru: Command): void {
  const cluster = naru.command('cluster').description('the cluster: info, health, id, features')
  const info = () => import('./commands/cluster-info.ts')
  connected(cluster.command('info').description('id, controller and brokers'), formats, info)
    .addHelpText('after', examples('naru cluster info', 'naru cluster info --format json'))
    .action(async (options) => (await info()).run(options))

  const health = () => import('./commands/cluster-health.ts')
  const question = cluster
    .command('health')
    .description('whether all is well: quorum, brokers, partitions; ends with 10 when not')
    .addOption(new Option('--until <state>', 'ask again until it is so').choices(['healthy']))
  connected(question, formats, health)
    .addHelpText(
      'after',
      examples('naru cluster health', 'naru cluster health --until healthy --timeout 30s'),
    )
    .action(async (options) => (await health()).run(options))

  const id = () => import('./commands/cluster-id.ts')
  connected(cluster.command('id').description('the id of the cluster'), formats, id)
    .addHelpText('after', examples('naru cluster id'))
    .action(async (options) => (await id()).run(options))

  const features = () => import('./commands/cluster-features.ts')
  const levels = cluster.command('features').description('features with the levels in use')
  connected(levels, formats, features)
    .addHelpText('after', examples('naru cluster features', 'naru cluster features --format json'))
    .action(async (options) => (await features()).run(options))
}

export function addBrokerViews(naru: Command): void {
  const broker = naru.command('broker').description('brokers: list, describe')
  const list = () => import('./commands/broker-list.ts')
  const listing = broker.command('list').description('list brokers, fenced ones too')
  connected(listing, formats, list)
    .addHelpText('after', examples('naru broker list', 'naru broker list --format wide'))
    .action(async (options) => (await list()).run(options))

  const describe = () => import('./commands/broker-describe.ts')
  const description = broker
    .command('describe')
    .description('one broker, and the replicas that it has')
    .argument('<id>', 'number of the broker', wholeNumber('id', 0))
  connected(description, formats, describe)
    .addHelpText('after', examples('naru broker describe 1'))
    .action(async (number, options) => (await describe()).run(number, options))
}
