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

  losePower(random: SeededRandom): void {
    for (const apply of this.#changes) if (random.chance(0.5)) apply(this.#durable)
    this.#changes = []
    this.names = new Map(this.#durable)
    for (const node of this.names.values()) node.losePower(random)
  }
}
