/** Damage to the files of a broker that no disk would tell of. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { batchesOf, readBatchHeader } from '@naru/records'
import type { ClusterBroker } from './cluster-broker.ts'

/** Behind the header of a batch, within its records. */
const inRecords = 100

/** The files of a partition's segments, oldest first. */
export function segmentsOf(broker: ClusterBroker, name: string): string[] {
  const directory = join(broker.dataDirectory, name)
  const names = readdirSync(directory).filter((each) => each.endsWith('.log'))
  return names.sort().map((each) => join(directory, each))
}

/** Turns a bit in the records of a batch in the middle of a segment; gives the batch's first offset. */
export function flipBit(segment: string): bigint {
  const batches = [...batchesOf(readFileSync(segment))]
  const at = batches.length >> 1
  const position = batches.slice(0, at).reduce((bytes, { length }) => bytes + length, inRecords)
  const file = openSync(segment, 'r+')
  try {
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, position)
    byte[0] = (byte[0] as number) ^ 0x10
    writeSync(file, byte, 0, 1, position)
  } finally {
    closeSync(file)
  }
  return readBatchHeader(batches[at] as Buffer).baseOffset
}

/** Takes the second half of the newest segment away. */
export function cutEnd(broker: ClusterBroker, name: string): void {
  const segment = segmentsOf(broker, name).at(-1) as string
  truncateSync(segment, readFileSync(segment).length >> 1)
}

/** Takes the partition's directory away. */
export function removeLog(broker: ClusterBroker, name: string): void {
  rmSync(join(broker.dataDirectory, name), { recursive: true })
}

/** Logs of a broker that were put aside. */
export function damagedLogs(broker: ClusterBroker): string[] {
  return readdirSync(broker.dataDirectory).filter((name) => name.endsWith('-damaged'))
}
