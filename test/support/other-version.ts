/**
 * `naru start` as another version of the program would be that knows other levels of the cluster's features, for tests of clusters of
 * two versions: `node other-version.ts metadata.version=7-29,naru.version=1-1 -c FILE`.
 */
import { join } from 'node:path'
import { start } from '../../packages/cli/src/commands/start.ts'
import { Failure, failureText } from '../../packages/cli/src/failure.ts'
import { root } from './sources.ts'

/** The levels of each feature that a version knows. */
export type Levels = Readonly<Record<string, readonly [min: number, max: number]>>

/** What to run for a version with these levels. */
export function otherVersion(levels: Levels): readonly string[] {
  const ranges = Object.entries(levels).map(([name, [min, max]]) => `${name}=${min}-${max}`)
  return [join(root, 'test/support/other-version.ts'), ranges.join()]
}

async function main(ranges: string, config: string): Promise<void> {
  const features = ranges.split(',').map((range) => {
    const [name = '', min, max] = range.split(/[=-]/)
    return { name, min: Number(min), max: Number(max) }
  })
  try {
    await start({ config, set: [] }, features)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(failureText(error))
    process.exit(error.exitCode)
  }
}

if (import.meta.main) await main(process.argv[2] as string, process.argv[4] as string)
