import { Command, Option } from 'commander'
import { addBrokerCommands } from './broker-commands.ts'
import { examples, presented } from './command-views.ts'
import { exitCodesText } from './exit-codes.ts'
import { formats } from './output.ts'
import { addConsume, addProduce } from './record-commands.ts'
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
  addProduce(naru)
  addConsume(naru)
  addReference(naru)
  return naru
}

function addReference(naru: Command): void {
  const errors = () => import('./commands/errors.ts')
  const lookUp = naru
    .command('errors [code]')
    .description('explain an error code; without one, list all')
  presented(lookUp, formats, errors)
    .addHelpText('after', examples('naru errors NARU-NET-004', 'naru errors 3'))
    .action(async (code, options) => (await errors()).run(code, options))

  const versions = () => import('./commands/version.ts')
  const command = naru
    .command('version')
    .description('version of this program and of what it runs on')
  presented(command, formats, versions)
    .addHelpText('after', examples('naru version', 'naru version --format json'))
    .action(async (options) => (await versions()).run(options))
}
