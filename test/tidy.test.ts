// The source text under test: what the linter cannot see.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { descriptors } from '../dev/descriptors.ts'
import { generatedPages } from '../dev/generated-pages.ts'
import { importsOf, packageNames, root, sourceFiles } from './support/sources.ts'

/** Imports go downwards only: never up, never sideways. */
const layers: readonly (readonly string[])[] = [
  ['base'],
  ['model'],
  ['records', 'protocol'],
  ['raft', 'partition', 'metadata'],
  ['platform', 'log', 'network', 'rpc'],
  ['consensus', 'replication'],
  ['services'],
  ['kafka-api', 'grpc-api'],
  ['broker'],
]
/** Programs and libraries beside the broker, and what they may import. */
const beside: Readonly<Record<string, readonly string[]>> = {
  client: ['base', 'model', 'records', 'protocol', 'platform'],
  cli: [...layers.flat(), 'client'],
  simulator: [...layers.flat(), 'client'],
}

const files = sourceFiles()
const production = files.filter((file) => !file.isTest && file.packageName !== undefined)

function allowedImports(name: string): readonly string[] {
  const level = layers.findIndex((layer) => layer.includes(name))
  return level < 0 ? (beside[name] ?? []) : layers.slice(0, level).flat()
}

/** A line without its comment and without what stands between quotes. */
function codeOf(line: string): string {
  return line
    .replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`/g, "''")
    .replace(/\/\/.*$|^\s*\/?\*.*$/, '')
}

/** Lines of production code that match, as `path:line: text`. */
function offenders(pattern: RegExp, isExempt: (packageName: string) => boolean): string[] {
  return production
    .filter((file) => !isExempt(file.packageName as string))
    .flatMap((file) =>
      file.text
        .split('\n')
        .map((line, index) => ({ line, at: `${file.path}:${index + 1}: ${line.trim()}` }))
        .filter(({ line }) => pattern.test(codeOf(line)))
        .map(({ at }) => at),
    )
}

describe('layers', () => {
  it.each(packageNames())('%s imports only what lies below it, by name', (name) => {
    const allowed = allowedImports(name)
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
    const declared = Object.keys(manifest.dependencies ?? {})
    for (const file of production.filter((each) => each.packageName === name)) {
      for (const target of importsOf(file.text).filter((each) => each.startsWith('@naru/'))) {
        const imported = target.split('/')[1]
        expect(allowed, `${file.path} imports ${target}`).toContain(imported)
        expect(declared, `${file.path} imports ${target}`).toContain(`@naru/${imported}`)
      }
    }
  })

  it('has every package in a layer', () => {
    const known = [...layers.flat(), ...Object.keys(beside)]
    expect(packageNames().filter((name) => !known.includes(name))).toEqual([])
  })

  it('declares no dependency that is not used', () => {
    const unused = packageNames().flatMap((name) => {
      const manifest = JSON.parse(
        readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
      )
      const used = new Set(
        files
          .filter((file) => file.packageName === name)
          .flatMap((file) => importsOf(file.text))
          .map((target) => target.replace(/^(@[^/]+\/[^/]+)\/.*/, '$1')),
      )
      return Object.keys(manifest.dependencies ?? {})
        .filter((dependency) => !used.has(dependency))
        .map((dependency) => `${name}: ${dependency}`)
    })
    expect(unused).toEqual([])
  })
})

describe('purity', () => {
  const worldly = (name: string) => ['platform', 'cli', 'simulator'].includes(name)

  it('takes time, randomness and timers from outside', () => {
    const calls =
      /Math\.random|Date\.now|new Date\(|randomUUID|randomBytes|\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(|performance\.now/
    expect(offenders(calls, worldly)).toEqual([])
  })

  it('names process in the command line only', () => {
    expect(offenders(/\bprocess\./, worldly)).toEqual([])
  })

  it('keeps promises out of the cores', () => {
    const cores = ['base', 'model', 'records', 'protocol', 'raft', 'partition', 'metadata']
    const inCores = offenders(/\basync\b|\bawait\b/, (name) => !cores.includes(name))
    expect(inCores).toEqual([])
  })
})

describe('left-overs', () => {
  it('has no marks of unfinished or silenced code', () => {
    const marks =
      /\b(TODO|FIXME|XXX)\b|biome-ignore|@ts-(ignore|expect-error)|\bas any\b|\.only\(|\.todo\(/
    const found = files
      .filter((file) => file.path !== 'test/tidy.test.ts')
      .filter((file) => marks.test(file.text))
    expect(found.map((file) => file.path)).toEqual([])
  })

  it('has no names that say nothing', () => {
    const names = /\b(class|interface|function) \w*(Manager|Helper|Utils?|Impl)\b/
    expect(offenders(names, () => false)).toEqual([])
  })

  it('has no file that nobody imports', () => {
    const entrances =
      /\/(index|main|mutation-board|mutations\/apply)\.ts$|\.(test|contract)\.ts$|^(dev\/generate-docs|test\/support\/stream-peer|test\/performance\/[a-z-]+)\.ts$/
    const imported = new Set(
      files.flatMap((file) =>
        importsOf(file.text)
          .filter((target) => target.startsWith('.'))
          .map((target) => normalize(join(dirname(file.path), target))),
      ),
    )
    const dead = files.filter((file) => !imported.has(file.path) && !entrances.test(file.path))
    expect(dead.map((file) => file.path)).toEqual([])
  })
})

describe('size', () => {
  it('has at most 12 import statements a file, lists of parts apart', () => {
    const lists = /\/index\.ts$|\/broker\.ts$|\/log-directory\.ts$/
    const crowded = production.filter(
      (file) => !lists.test(file.path) && importsOf(file.text).length > 12,
    )
    expect(crowded.map((file) => file.path)).toEqual([])
  })
})

describe('documents', () => {
  it.each(packageNames())('%s has an index and a short README', (name) => {
    const folder = join(root, 'packages', name)
    const entrance = name === 'cli' ? 'src/main.ts' : 'src/index.ts'
    expect(existsSync(join(folder, entrance))).toBe(true)
    const lines = readFileSync(join(folder, 'README.md'), 'utf8').trimEnd().split('\n').length
    expect(lines).toBeGreaterThanOrEqual(5)
    expect(lines).toBeLessThanOrEqual(60)
  })

  it.each(Object.entries(generatedPages()))('%s is what the code says', (name, content) => {
    expect(readFileSync(join(root, 'docs', name), 'utf8'), 'run npm run docs').toBe(content)
  })

  it('proto/descriptors.binpb is what proto/ says', () => {
    const stored = readFileSync(join(root, 'proto/descriptors.binpb'))
    expect(stored.equals(descriptors()), 'run npm run docs').toBe(true)
  })

  it('has no link that leads nowhere', () => {
    const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
    const broken = pages
      .filter((page) => page.endsWith('.md'))
      .flatMap((page) => {
        const text = readFileSync(join(root, page), 'utf8')
        const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1])
        return links
          .filter((link) => !existsSync(join(root, dirname(page), link as string)))
          .map((link) => `${page}: ${link}`)
      })
    expect(broken).toEqual([])
  })
})
