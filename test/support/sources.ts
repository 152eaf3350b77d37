import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string
  /** Undefined outside packages/. */
  readonly packageName: string | undefined
  readonly text: string
  readonly isTest: boolean
}

/** Every TypeScript file of the project. */
export function sourceFiles(): SourceFile[] {
  return ['packages', 'test', 'dev'].flatMap((folder) => filesIn(join(root, folder)))
}

export function packageNames(): string[] {
  return readdirSync(join(root, 'packages'))
}

function filesIn(folder: string): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const absolute = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(absolute)
    if (!entry.name.endsWith('.ts')) return []
    const path = relative(root, absolute)
    const packageName = /^packages\/([^/]+)\//.exec(path)?.[1]
    const isTest = /\.(test|contract)\.ts$/.test(path) || path.startsWith('test/')
    return [{ path, packageName, text: readFileSync(absolute, 'utf8'), isTest }]
  })
}

/** What a file imports, as written. */
export function importsOf(text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'|import\('([^']+)'\)/gm)
  return [...found].map((match) => (match[1] ?? match[2]) as string)
}
