import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileSystem, systemRandom } from '@naru/platform'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claimForCluster, directoryIdOf } from './directory-id.ts'

let path: string
const owner = { fileSystem: nodeFileSystem, random: systemRandom, nodeId: 3 }

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'naru-directory-'))
})

afterEach(() => rmSync(path, { recursive: true, force: true }))

const file = () => readFileSync(join(path, 'meta.properties'), 'utf8')

it('keeps the id of a directory, and the cluster once that is known', async () => {
  const id = await directoryIdOf(owner, path)
  expect(file()).toBe(`version=1\nnode.id=3\ndirectory.id=${id}\n`)
  await claimForCluster(owner, path, 'one')
  await claimForCluster(owner, path, 'one')
  expect(await directoryIdOf(owner, path)).toBe(id)
  expect(file()).toBe(`version=1\nnode.id=3\ncluster.id=one\ndirectory.id=${id}\n`)
})

it('refuses the disk of another cluster with both ids, and leaves it as it is', async () => {
  await claimForCluster(owner, path, 'one')
  const before = file()
  const refused = claimForCluster(owner, path, 'two')
  await expect(refused).rejects.toMatchObject({
    code: 'NARU-CFG-003',
    message: expect.stringMatching(/cluster one, this broker is of cluster two/),
    hint: expect.stringMatching(/log\.dirs of cluster two or an empty one; or, .* of cluster one/),
  })
  expect(file()).toBe(before)
})

it('refuses the disk of another node', async () => {
  await directoryIdOf(owner, path)
  const refused = claimForCluster({ ...owner, nodeId: 4 }, path, 'one')
  await expect(refused).rejects.toMatchObject({ code: 'NARU-CFG-003' })
  expect(file()).not.toContain('cluster.id')
})
