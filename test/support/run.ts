import { execFile } from 'node:child_process'

/** Runs a program to its end; rejects with its output when it fails or takes too long. */
export function run(
  program: string,
  args: readonly string[],
  { input = '', timeoutMs = 60_000 } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: 64 << 20, encoding: 'utf8' } as const
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stderr}${stdout}`))
    })
    child.stdin?.end(input)
  })
}
