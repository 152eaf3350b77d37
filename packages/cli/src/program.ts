import { Command, Option } from 'commander'
import { addBrokerCommands } from './broker-commands.ts'
import { addBrokerViews, addClusterCommands } from './cluster-commands.ts'
import { addEvents } from './event-commands.ts'
import { exitCodesText } from './exit-codes.ts'
import { addPartitionCommands } from './partition-commands.ts'
import { addQuorumCommands } from './quorum-commands.ts'
import { addConsume, addProduce } from './record-commands.ts'
import { addReference } from './reference-commands.ts'
import { setColour, styled } from './style.ts'
import { addTopicCommands } from './topic-commands.ts'
import { version } from './version.ts'

/** Every command with its options; what it does is loaded when it runs, so that help costs no import. */
export function program(): Command {
  const naru = new Command('naru')
    .description('An event-streaming platform that speaks the Kafka protocol')
    .version(version, '-V, --version')
    .configureHelp({ showGlobalOptions: true, styleTitle: (text) => styled('bold', text) })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .on('option:color', setColour)
    .addOption(
      new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'),
    )
    .addHelpText('after', `\n${exitCodesText}`)
  addBrokerCommands(naru)
  const topic = naru.command('topic').description('topics: create, list, describe, set, delete')
  addTopicCommands(topic)
  addPartitionCommands(naru)
  addClusterCommands(naru)
  addEvents(naru)
  addBrokerViews(naru)
  addQuorumCommands(naru)
  addProduce(naru)
  addConsume(naru)
  addReference(naru)
  return naru
}
