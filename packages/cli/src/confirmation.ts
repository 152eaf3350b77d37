import { createInterface } from 'node:readline'
import { exitCodes } from './exit-codes.ts'
import { Failure } from './failure.ts'

/** Asks a person on the terminal to type `answer`. Throws when nobody is there, or nobody does. */
export async function confirm(
  plan: string,
  { answer, ask }: { answer: string; ask: string },
): Promise<void> {
  const { stdin, stderr } = process
  if (stdin.isTTY !== true) {
    throw refused(`Cannot ${plan}: it is not confirmed, and no terminal is there to ask`, {
      hint: 'Add --yes to do it without asking, or --dry-run to see what would be done',
    })
  }
  stderr.write(`This would ${plan}.\n`)
  const given = await question(`${ask} `)
  if (given === undefined)
    throw refused(`Interrupted: nothing was done`, { exitCode: exitCodes.interrupted })
  if (given !== answer) throw refused(`Not confirmed: nothing was done`, {})
}

function refused(message: string, options: { hint?: string; exitCode?: number }): Failure {
  return new Failure('NOT_CONFIRMED', message, { exitCode: exitCodes.refused, ...options })
}

/** A line, empty at the end of the input, undefined on Ctrl-C. */
function question(text: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    const end = (answer: string | undefined) => {
      terminal.removeAllListeners('close')
      process.stderr.write('\n')
      resolve(answer)
      terminal.close()
    }
    terminal.once('SIGINT', () => end(undefined)).once('close', () => end(''))
    terminal.question(text, (line) => {
      terminal.removeAllListeners('close')
      terminal.close()
      resolve(line.trim())
    })
  })
}
