/** The lines of a byte stream, byte for byte: nothing is decoded, and only a line feed (with a carriage return before it) ends a line. */
export async function* linesOf(
  input: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    let from = 0
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      yield joined([...pending, chunk.subarray(from, at)])
      pending = []
      bytes = 0
      from = at + 1
    }
    if (from === chunk.length) continue
    pending.push(chunk.subarray(from))
    bytes += chunk.length - from
    if (bytes > bytesMax) throw new RangeError(`a line of more than ${bytesMax} bytes`)
  }
  if (pending.length > 0) yield joined(pending)
}

function joined(parts: readonly Buffer[]): Buffer {
  const line = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}
