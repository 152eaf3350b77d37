import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogDirectoryError } from '@naru/log'
import type { BrokerImage } from '@naru/metadata'
import { nodeFileSystem } from '@naru/platform'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Directories, registeredDirectories } from './membership.ts'
import { writeSession } from './session-file.ts'

let path: string

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'naru-membership-'))
})

afterEach(() => rmSync(path, { recursive: true, force: true }))

/** As the process `incarnationId` finds and reports them, when the metadata has `known` of its broker. */
function registered(
  directories: Directories,
  incarnationId = 'new',
  known?: { brokerEpoch: bigint; incarnationId: string },
) {
  const registration = known as BrokerImage | undefined
  const applicant = { bootId: 'boot', incarnationId, registered: registration }
  return registeredDirectories(nodeFileSystem, directories, applicant)
}

it('says of each disk how it is when it is asked', async () => {
  const directories: Directories = new Map([['d', { path, offline: undefined }]])
  const unknown = { cleanliness: 'unknown', brokerEpoch: -1n }
  expect(await registered(directories)).toEqual([{ directoryId: 'd', ...unknown }])
  const session = { brokerEpoch: 7n, bootId: 'boot', incarnationId: 'i', isClean: false }
  await writeSession(nodeFileSystem, path, session)
  const running = { cleanliness: 'process-crash', brokerEpoch: 7n }
  expect(await registered(directories)).toEqual([{ directoryId: 'd', ...running }])
})

it('counts on a disk whose processes died right after they had registered, for the registration that was theirs', async () => {
  const directories: Directories = new Map([['d', { path, offline: undefined }]])
  const session = { brokerEpoch: 7n, bootId: 'boot', incarnationId: 'i', isClean: true }
  await writeSession(nodeFileSystem, path, session)
  await registered(directories, 'j')
  await registered(directories, 'k')
  const epochFor = async (incarnationId: string) => {
    const known = { brokerEpoch: 9n, incarnationId }
    const [found] = await registered(directories, 'now', known)
    return found?.brokerEpoch
  }
  expect(await epochFor('j')).toBe(9n)
  expect(await epochFor('k')).toBe(9n)
  // The registration before theirs, or one of a process that did not have this disk.
  expect(await epochFor('i')).toBe(7n)
  expect(await epochFor('other')).toBe(7n)
  await writeSession(nodeFileSystem, path, { ...session, brokerEpoch: 9n, incarnationId: 'k' })
  const known = { brokerEpoch: 10n, incarnationId: 'j' }
  expect(await registered(directories, 'now', known)).toEqual([
    { directoryId: 'd', cleanliness: 'clean', brokerEpoch: 9n },
  ])
})

it('does not count on a disk that has failed', async () => {
  const offline = new LogDirectoryError('LOG_DIRECTORY_OFFLINE', path, 'it has failed')
  expect(await registered(new Map([['d', { path, offline }]]))).toEqual([])
})
