export {
  checkLinearizable,
  type Model,
  type Operation,
  type Verdict,
} from './linearizability.ts'
export { producerIdModel, registerModel, topicModel } from './metadata-models.ts'
export { calm, drawNetworkFaults, type NetworkFaults } from './network-faults.ts'
export { checkHistory, type HistoryVerdict, OperationHistory } from './operation-history.ts'
export { SeededRandom } from './seeded-random.ts'
export { SimulatedClock } from './simulated-clock.ts'
export type { Fault } from './simulated-disk.ts'
export { SimulatedDisk } from './simulated-disk.ts'
export { SimulatedFile } from './simulated-file.ts'
export { NetworkMisuse, type NetworkUsage, SimulatedNetwork } from './simulated-network.ts'
export { SimulatedProcess } from './simulated-process.ts'
