import { type Command, Option } from 'commander'
import { connected, examples } from './command-views.ts'
import { offsetGrammar } from './offset-range.ts'
import { keyValue, offsetRange, template, wholeNumber } from './options.ts'
import { formats } from './output.ts'
import { templateGrammar } from './record-template.ts'

export function addProduce(naru: Command): void {
  const produce = () => import('./commands/produce.ts')
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  const command = naru
    .command('produce <topic> [file]')
    .description('write one record for each line of a file or of standard input')
    .option('-k, --key <key>', 'key of every record')
    .addOption(
      new Option('--key-separator <text>', 'what parts key and value in each line').conflicts(
        'key',
      ),
    )
    .option(
      '-H, --header <key=value>',
      'a header of every record; may be repeated',
      keyValue('--header'),
    )
    .option('-p, --partition <n>', 'write to this partition', wholeNumber('--partition', 0))
    .addOption(
      new Option('-z, --compression <codec>', 'codec of the batches')
        .choices(codecs)
        .default('none'),
    )
    .addOption(
      new Option('--tombstone', 'write one record without a value, for --key').conflicts(
        'keySeparator',
      ),
    )
  connected(
    command,
    formats.filter((each) => each !== 'wide'),
    produce,
  )
    .addHelpText(
      'after',
      examples(
        'echo hello | naru produce orders -k user-7',
        'naru produce orders lines.txt --key-separator : -z zstd',
      ),
    )
    .action(async (topic, file, options) => {
      if (options.tombstone === true && options.key === undefined) {
        command.error('--tombstone needs the --key that it is for')
      }
      if (options.tombstone === true && file !== undefined)
        command.error('--tombstone reads no file')
      await (await produce()).run(topic, file, options)
    })
}

export function addConsume(naru: Command): void {
  const consume = () => import('./commands/consume.ts')
  const command = naru
    .command('consume <topic>')
    .description('read records; follows the topic until it is interrupted')
    .option(
      '-o, --offset <range>',
      'what to read, see below (default: end, with --exit start)',
      offsetRange,
    )
    .option('-p, --partition <n>', 'read this partition only', wholeNumber('--partition', 0))
    .option('-n, --number <n>', 'stop after so many records', wholeNumber('--number', 0))
    .option('-e, --exit', 'stop at the end of the topic as it is now')
    .option(
      '--rack <name>',
      'where this reader is; a follower there is read from, if the brokers let it',
    )
    .addOption(
      new Option('-f, --template <text>', 'print this for each record, and nothing else')
        .argParser(template)
        .conflicts('format'),
    )
  connected(command, formats, consume)
    .addHelpText('after', `\nOffsets:\n${offsetGrammar}\n\nTemplates:\n${templateGrammar}`)
    .addHelpText(
      'after',
      examples(
        'naru consume orders -o start -n 5',
        "naru consume orders -o @-10m:end -f '%p %o %k %v\\n'",
        'naru consume orders -o start -e --rack eu-west-1a',
      ),
    )
    .action(async (topic, options) => (await consume()).run(topic, options))
}
