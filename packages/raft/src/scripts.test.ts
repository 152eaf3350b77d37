// Scenarios as scripts: a command, `----`, what follows from it. NARU_REWRITE=1 writes the output anew; the diff is what is reviewed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ScriptWorld } from './testing/script-world.ts'

const folder = new URL('../testdata/', import.meta.url)
const isRewriting = process.env['NARU_REWRITE'] === '1'

/** Runs a script and gives it with the output that it has now. */
function replay(text: string): string {
  const world = new ScriptWorld()
  let isOutput = false
  const lines: string[] = []
  for (const line of text.split('\n')) {
    if (line === '') isOutput = false
    if (isOutput) continue
    lines.push(line)
    if (line === '----') {
      isOutput = true
      lines.push(world.command(lines.at(-2) as string))
    }
  }
  return lines.join('\n')
}

it.each(readdirSync(folder))('%s', (name) => {
  const file = new URL(name, folder)
  const text = readFileSync(file, 'utf8')
  const now = replay(text)
  if (isRewriting) writeFileSync(file, now)
  expect(now).toBe(isRewriting ? now : text)
})
