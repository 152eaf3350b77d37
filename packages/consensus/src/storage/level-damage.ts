/**
 * LevelDB opens a store whose log is damaged in the middle without an error, and forgets what came after the damage. So its log
 * files are read first: a bad record with a later batch behind it is damage; one with nothing behind it is a write that a crash
 * cut off.
 *
 * The format: blocks of 32 KiB; a record is a masked CRC-32C (4), a length (2, little-endian), a type (1) and data; types 1 whole,
 * 2 first, 3 middle, 4 last piece of a batch; a block ends with less than a header of zeros.
 */
import { crc32c, type FileSystem } from '@naru/base'

const blockBytes = 32_768
const headerBytes = 7
const whole = 1
const first = 2
const lastType = 4

/** Whether the log files in a LevelDB's directory lost batches that had been written whole. */
export async function isLevelLogDamaged(
  fileSystem: FileSystem,
  directory: string,
): Promise<boolean> {
  if ((await fileSystem.stat(directory)) === undefined) return false
  const logs = (await fileSystem.list(directory)).filter((name) => /^\d+\.log$/.test(name)).sort()
  let wasBad = false
  for (const name of logs) {
    const bytes = await fileSystem.readFile(`${directory}/${name}`)
    for (const isGood of batches(bytes)) {
      if (isGood && wasBad) return true
      wasBad ||= !isGood
    }
  }
  return false
}

/** True for each batch that begins well, false for each place where none can be read. */
function* batches(bytes: Buffer): Generator<boolean> {
  for (let block = 0; block < bytes.length; block += blockBytes) {
    const end = Math.min(bytes.length, block + blockBytes)
    let at = block
    while (at + headerBytes <= end) {
      const length = bytes.readUInt16LE(at + 4)
      const type = bytes[at + 6] as number
      const next = at + headerBytes + length
      const isRecord =
        type >= whole && type <= lastType && next <= end && isChecksumRight(bytes, at, next)
      if (!isRecord) yield false
      else if (type === whole || type === first) yield true
      // A damaged record does not tell where the next one begins: it is looked for at every byte.
      at = isRecord ? next : at + 1
    }
  }
}

function isChecksumRight(bytes: Buffer, at: number, next: number): boolean {
  const checksum = crc32c(bytes.subarray(at + 6, next))
  const masked = (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0
  return bytes.readUInt32LE(at) === masked
}
