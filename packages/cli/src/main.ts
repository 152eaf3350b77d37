import { type Command, CommanderError } from 'commander'
import { views } from './command-views.ts'
import { exitCodes } from './exit-codes.ts'
import { Failure, failureText } from './failure.ts'
import { formatHelp } from './format-help.ts'
import { failureDocument, print } from './output.ts'
import { program } from './program.ts'
import { commandAt, commandNamed, usageFailure } from './usage-failure.ts'

/** Everything that a command throws ends here. */
async function main(words: readonly string[]): Promise<void> {
  const naru = program()
  try {
    const isFormatHelp = /(^| )--format[= ]help( |$)/.test(words.join(' '))
    const asked = isFormatHelp ? views.get(commandAt(naru, words).command) : undefined
    if (asked !== undefined) await print(formatHelp((await asked.load()).view, asked.allowed))
    else if (words.length === 0) naru.outputHelp()
    else if (words[0] === 'help') commandNamed(naru, words.slice(1)).outputHelp()
    else await naru.parseAsync(words, { from: 'user' })
  } catch (error) {
    await fail(naru, words, error)
  }
}

async function fail(naru: Command, words: readonly string[], error: unknown): Promise<void> {
  if (error instanceof CommanderError && error.exitCode === 0) return
  // A group of commands without a command: commander has printed its help.
  if (error instanceof CommanderError && error.code === 'commander.help') {
    process.exitCode = exitCodes.usage
    return
  }
  const failure = error instanceof CommanderError ? usageFailure(error, naru, words) : error
  if (!(failure instanceof Failure)) throw failure
  process.exitCode = failure.exitCode
  const isForMachine = /(^| )--format[= ](nd)?json( |$)/.test(words.join(' '))
  if (isForMachine && !failure.isInDocument) await print(failureDocument(failure))
  process.stderr.write(failureText(failure))
}

// Nobody reads any more (`naru consume t | head`): a quiet end, not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(process.exitCode ?? exitCodes.ok)
  })
}

await main(process.argv.slice(2))
