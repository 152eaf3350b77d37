import { nearestName } from '@naru/model'
import type { Command, CommanderError } from 'commander'
import { type Failure, usage } from './failure.ts'

/** What commander says about a command line, in the words and the form of all failures. */
export function usageFailure(
  error: CommanderError,
  program: Command,
  words: readonly string[],
): Failure {
  const [first = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n')
  const message = first.charAt(0).toUpperCase() + first.slice(1)
  const nearest = /^\((.*)\)$/.exec(suggestion)?.[1]
  const { path } = commandAt(program, words)
  return usage(message, nearest ?? `\`${path} --help\` shows what it takes`)
}

/** The command that the words of a command line lead to, and its name in full. */
export function commandAt(
  program: Command,
  words: readonly string[],
): { command: Command; path: string } {
  let command = program
  let path = program.name()
  for (const word of words) {
    const next = command.commands.find((each) => each.name() === word)
    if (next === undefined) continue
    command = next
    path = `${path} ${word}`
  }
  return { command, path }
}

/** What `naru help topic create` asks for. */
export function commandNamed(program: Command, words: readonly string[]): Command {
  return words.reduce((parent, word) => {
    const names = parent.commands.map((each) => each.name())
    const found = parent.commands.find((each) => each.name() === word)
    if (found !== undefined) return found
    const nearest = nearestName(word, names)
    const hint =
      nearest === undefined ? `Commands are ${names.join(', ')}` : `Did you mean ${nearest}?`
    throw usage(`Unknown command '${word}'`, names.length === 0 ? undefined : hint)
  }, program)
}
