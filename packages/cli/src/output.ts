/** JSON of this program has 64-bit numbers as strings: a reader that parses them as doubles would change them. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'bigint' ? field.toString() : field,
  )
  process.stdout.write(`${text}\n`)
}

/** Columns without borders, two spaces apart, numbers to the right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const isNumeric = header.map((_, column) =>
    rows.every((row) => /^-?\d+$/.test(row[column] ?? '')),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return isNumeric[column] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  for (const row of [header, ...rows]) process.stdout.write(`${line(row)}\n`)
}
