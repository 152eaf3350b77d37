/** What commands have in common on the command line: the cluster that is asked, the formats of a result, examples. */
import { type Command, Option } from 'commander'
import { duration, formatOf } from './options.ts'
import type { Format, View } from './output.ts'

/** The commands that print a result: in which formats, and from which module, loaded when it runs. */
export const views = new Map<
  Command,
  { allowed: readonly Format[]; load(): Promise<{ view: View<never> }> }
>()

/** A command that asks a cluster. */
export function connected(...[command, allowed, load]: Parameters<typeof presented>): Command {
  const address =
    'host:port of one broker or several (default: NARU_BOOTSTRAP, KAFKA_BOOTSTRAP_SERVERS, localhost:9092)'
  return presented(command, allowed, load)
    .option('-b, --bootstrap <address>', address)
    .addOption(new Option('--bootstrap-server <address>', 'the same, by its name in Kafka'))
    .addOption(
      new Option('--timeout <time>', 'how long to wait for an answer')
        .argParser(duration('--timeout'))
        .default(10_000, '10s'),
    )
}

/** A command that prints a result. */
export function presented(
  command: Command,
  allowed: readonly Format[],
  load: () => Promise<{ view: View<never> }>,
): Command {
  views.set(command, { allowed, load })
  const text = `${allowed.join(', ')}; help says what they print`
  return command.option('--format <format>', text, formatOf(allowed), 'table')
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}
