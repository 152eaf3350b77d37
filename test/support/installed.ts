import { execFileSync } from 'node:child_process'

/** Whether a program is there. In CI all of them must be: a missing one is a failure, not a skip. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI'] === 'true') throw new Error(`${program} is not installed`)
    return false
  }
}
