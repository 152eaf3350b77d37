import {
  type KafkaError,
  kafkaErrors,
  type NaruErrorEntry,
  naruErrors,
  nearestName,
} from '@naru/model'
import { kafkaEntry, usage } from '../failure.ts'
import { type Format, printRows, table, type View } from '../output.ts'
import { styled } from '../style.ts'

interface ErrorRow {
  readonly code: string
  readonly name: string
  readonly meaning: string
  readonly remedy: string | undefined
}

export const view: View<ErrorRow> = {
  kind: 'ErrorList',
  name: ({ code }) => code,
  fields: [
    { name: 'code', type: 'string', value: ({ code }) => code },
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'meaning', type: 'string', value: ({ meaning }) => meaning },
    { name: 'remedy', type: 'string', in: 'wide', value: ({ remedy }) => remedy },
  ],
}

/** Explains a code; without one, lists all. */
export function run(code: string | undefined, { format }: { format: Format }): Promise<void> {
  const all = rows()
  const found = code === undefined ? all : [look(code, all)]
  const text = () => (code === undefined ? table(view, found, format) : found.map(textOf).join(''))
  return printRows(view, found, { format, text })
}

function rows(): ErrorRow[] {
  const ours = Object.values<NaruErrorEntry>(naruErrors).sort((a, b) => (a.code < b.code ? -1 : 1))
  const kafka = Object.values<KafkaError>(kafkaErrors).sort((a, b) => a.code - b.code)
  return [
    ...ours,
    ...kafka.map((error) => {
      const { code, name, remedy } = kafkaEntry(error)
      return { code, name, meaning: error.description, remedy }
    }),
  ]
}

/** By its code, its number in the protocol, or its name. */
function look(text: string, all: readonly ErrorRow[]): ErrorRow {
  const wanted = text.toUpperCase()
  const isNumber = /^-?\d+$/.test(wanted)
  const found = all.find(({ code, name }) => {
    return code === wanted || name === wanted || (isNumber && code === `KAFKA-${Number(wanted)}`)
  })
  if (found !== undefined) return found
  const nearest = nearestName(
    wanted,
    all.flatMap(({ code, name }) => [code, name]),
  )
  const hint =
    nearest === undefined ? '`naru errors` lists all of them' : `Did you mean ${nearest}?`
  throw usage(`There is no error ${text}`, hint)
}

function textOf({ code, name, meaning, remedy }: ErrorRow): string {
  const whatToDo = remedy === undefined ? [] : [`  What to do: ${remedy}`]
  return `${[`${styled('bold', code)}  ${name}`, `  ${meaning}`, ...whatToDo].join('\n')}\n`
}
