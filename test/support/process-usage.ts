/** What a process takes of the machine, as the kernel has it. */
import { readFileSync } from 'node:fs'

const ticksPerSecond = 100

export interface Memory {
  readonly residentMb: number
  /** The most that it ever had. */
  readonly peakMb: number
}

/** Seconds of CPU since its start, in its own code and in the kernel. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Behind the name, which may hold anything, the first field is the third of the line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

export function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024)
  return { residentMb: mb('VmRSS'), peakMb: mb('VmHWM') }
}
