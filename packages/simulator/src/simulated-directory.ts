import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedFile } from './simulated-file.ts'

export type SimulatedNode = SimulatedFile | SimulatedDirectory

/** Names as processes see them and as the disk has them: what happened since the last sync of the directory may be lost. */
export class SimulatedDirectory {
  readonly kind = 'directory'
  names = new Map<string, SimulatedNode>()
  #durable = new Map<string, SimulatedNode>()
  #changes: ((names: Map<string, SimulatedNode>) => void)[] = []

  change(apply: (names: Map<string, SimulatedNode>) => void): void {
    apply(this.names)
    this.#changes.push(apply)
  }

  sync(): void {
    this.#durable = new Map(this.names)
    this.#changes = []
  }

  /** Nothing, everything, or any part of what was not synced survives. */
  losePower(random: SeededRandom): void {
    const survival = random.pick([0, 0.5, 0.5, 1])
    for (const apply of this.#changes) if (random.chance(survival)) apply(this.#durable)
    this.#changes = []
    this.names = new Map(this.#durable)
    for (const node of this.names.values()) node.losePower(random)
  }
}
