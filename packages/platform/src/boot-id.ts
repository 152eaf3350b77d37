import { readFileSync } from 'node:fs'

/** Names one run of the kernel, also from within a container; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
