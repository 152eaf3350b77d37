/** Words and colours for people. Whether there is colour, Node decides: NO_COLOR, FORCE_COLOR, and whether a terminal is there. */
import { styleText } from 'node:util'

export function styled(style: 'bold' | 'dim' | 'green' | 'yellow', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

/** `✓ created orders`: what was done. */
export function done(text: string): string {
  return `${styled('green', '✓')} ${text}\n`
}

/** `1 record`, `5 records`. */
export function counted(count: number | bigint, noun: string): string {
  return `${count} ${noun}${Number(count) === 1 ? '' : 's'}`
}

/** What a person should know and a program need not read. */
export function warn(text: string): void {
  process.stderr.write(`${styleText('yellow', '!', { stream: process.stderr })} ${text}\n`)
}

/** What helps a person at a terminal, and would only be noise in a log. */
export function note(text: string): void {
  if (process.stderr.isTTY !== true) return
  process.stderr.write(`${styleText('dim', text, { stream: process.stderr })}\n`)
}

/** `--color`: in the environment, where this process and those that it starts look. */
export function setColour(when: string): void {
  if (when === 'auto') return
  delete process.env['NO_COLOR']
  delete process.env['FORCE_COLOR']
  process.env[when === 'always' ? 'FORCE_COLOR' : 'NO_COLOR'] = '1'
}
