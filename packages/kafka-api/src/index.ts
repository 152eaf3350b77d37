export { createHandlers } from './handlers/index.ts'
export type { Ports } from './ports.ts'
