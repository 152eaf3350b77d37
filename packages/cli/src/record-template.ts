/** `-f '%p %o %k %v\n'`: what is printed for a record, and no byte more. */
import type { ConsumedRecord } from '@naru/client'

type Part = (record: ConsumedRecord) => string | Buffer

const empty = Buffer.alloc(0)

const verbs: Readonly<Record<string, Part>> = {
  k: ({ key }) => key ?? empty,
  v: ({ value }) => value ?? empty,
  o: ({ offset }) => offset.toString(),
  p: ({ partition }) => String(partition),
  t: ({ topic }) => topic,
  T: ({ timestamp }) => timestamp.toString(),
  h: ({ headers }) => headers.map(({ key, value }) => `${key}=${value ?? ''}`).join(','),
  '%': () => '%',
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  '\\': '\\',
}

export const templateGrammar = `  %k key  %v value  %o offset  %p partition  %t topic  %T timestamp in ms  %h headers  %% a percent sign
  \\n \\t \\r \\0 \\\\ as usual; bytes are printed as they are`

/** The printer of a template, or what in it cannot be read. */
export function parseTemplate(text: string): ((record: ConsumedRecord) => Buffer) | string {
  const parts: Part[] = []
  for (const [piece] of text.matchAll(/[%\\].?|[^%\\]+/gsu)) {
    const known = piece.startsWith('%') ? verbs[piece[1] ?? ''] : literal(piece)
    if (known === undefined) return piece
    parts.push(known)
  }
  return (record) =>
    Buffer.concat(
      parts.map((part) => {
        const printed = part(record)
        return typeof printed === 'string' ? Buffer.from(printed) : printed
      }),
    )
}

function literal(piece: string): Part | undefined {
  if (!piece.startsWith('\\')) return () => piece
  const meant = escapes[piece[1] ?? '']
  return meant === undefined ? undefined : () => meant
}
