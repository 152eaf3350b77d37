import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

const rising = fc
  .uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 60 })
  .map((values) => values.sort((a, b) => a - b))

it('OffsetIndex finds the last entry at or below an offset, as a list would', () => {
  fc.assert(
    fc.property(rising, fc.nat(10_001), fc.nat(10_001), (offsets, wanted, cut) => {
      const index = new OffsetIndex()
      for (const offset of offsets) index.append(offset, offset * 10)
      const expected = offsets.findLast((offset) => offset <= wanted)
      expect(index.floorPosition(wanted)).toBe(expected === undefined ? 0 : expected * 10)
      const reread = new OffsetIndex(Buffer.concat([index.bytes, Buffer.alloc(3)]))
      expect(reread.entries).toBe(offsets.length)
      reread.truncate(cut)
      expect(reread.entries).toBe(offsets.filter((offset) => offset < cut).length)
    }),
  )
})

it('TimeIndex keeps rising timestamps only and finds the last one below', () => {
  const times = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(times, fc.nat(1_001), (list, wanted) => {
      const index = new TimeIndex()
      const kept: { time: number; offset: number }[] = []
      for (const [offset, time] of list.entries()) {
        index.append(BigInt(time), offset)
        if (time > (kept.at(-1)?.time ?? -1)) kept.push({ time, offset })
      }
      expect(index.entries).toBe(kept.length)
      const expected = kept.findLast(({ time }) => time < wanted)
      expect(index.lowerEntry(BigInt(wanted))?.relativeOffset).toBe(expected?.offset)
    }),
  )
})
