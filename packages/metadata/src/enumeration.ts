import { assert, DecodeError } from '@naru/base'
import type { Type } from '@naru/protocol'

/** One of a few names, as its position in one byte: append to the names, never reorder them. */
export function enumeration<const N extends string>(names: readonly N[]): Type<N> {
  return {
    resolve: () => ({
      read(reader) {
        const position = reader.int8()
        const name = names[position]
        if (name === undefined) throw new DecodeError(`${position} is none of ${names.join(', ')}`)
        return name
      },
      write(writer, value) {
        const position = names.indexOf(value)
        assert(position >= 0, `${value} is none of ${names.join(', ')}`)
        writer.int8(position)
      },
    }),
  }
}
