/** A log directory of a simulated machine: what is on it stays when processes go. */
import { FileSystemError, randomId } from '@naru/base'
import type { SeededRandom } from '../seeded-random.ts'
import { type DiskClock, SimulatedDisk } from '../simulated-disk.ts'

export const dataPath = '/data'

export class DataDisk {
  readonly id: string
  disk: SimulatedDisk
  /** Every write and every sync fails. */
  isFailing = false
  /** Nothing more can be written, but over what has its place already. */
  isFull = false
  readonly #clock: DiskClock
  readonly #random: SeededRandom
  readonly #delay: () => number

  constructor(clock: DiskClock, random: SeededRandom, delay: () => number) {
    this.id = randomId(random)
    this.#clock = clock
    this.#random = random
    this.#delay = delay
    this.disk = this.#newDisk()
  }

  /** Everything on it is gone. */
  wipe(): void {
    this.disk.crash()
    this.disk = this.#newDisk()
  }

  #newDisk(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#clock, this.#random.split())
    disk.delay = () => this.#delay()
    disk.fault = (operation, path) => {
      // The files of the journal are filled before they are used.
      const isJournal = path.startsWith(`${dataPath}/.journal/`)
      const isPlaced = isJournal && (disk.file(path)?.sizeBytes ?? 0) > 0
      if (this.isFull && operation === 'write' && !isPlaced) return 'ENOSPC'
      const isWrite = operation === 'write' || operation === 'sync' || operation === 'rename'
      return this.isFailing && isWrite ? 'EIO' : undefined
    }
    return disk
  }
}

export function isDiskFailure(error: unknown): boolean {
  return error instanceof FileSystemError
}
