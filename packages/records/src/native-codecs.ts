/**
 * The codecs that Node lacks, loaded when the first batch needs one: each costs three megabytes and threads of its own, and most
 * brokers meet one of them at most. `createRequire` because a dynamic import would make decompression asynchronous.
 */
import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)
let loadedSnappy: typeof import('snappy') | undefined
let loadedLz4: typeof import('lz4-napi') | undefined

export function snappy(): typeof import('snappy') {
  loadedSnappy ??= load('snappy') as typeof import('snappy')
  return loadedSnappy
}

export function lz4(): typeof import('lz4-napi') {
  loadedLz4 ??= load('lz4-napi') as typeof import('lz4-napi')
  return loadedLz4
}
