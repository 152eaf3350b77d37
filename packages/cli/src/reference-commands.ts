import type { Command } from 'commander'
import { examples, presented } from './command-views.ts'
import { formats } from './output.ts'

export function addReference(naru: Command): void {
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
