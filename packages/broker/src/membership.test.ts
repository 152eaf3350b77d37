import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogDirectoryError } from '@naru/log'
import type { BrokerImage } from '@naru/metadata'
import { nodeFileSystem } from '@naru/platform'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Directories, registeredDirectories } from './membership.ts'
import { noteApplicant, writeSession } from './session-file.ts'

let path: string

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'naru-membership-'))
})

afterEach(() => rmSync(path, { recursive: true, force: true }))

const registered = (
  directories: Directories,
  known?: { brokerEpoch: bigint; incarnationId: string },
) =>
  registeredDirectories(nodeFileSystem, directories, {
    bootId: 'boot',
    registered: known as BrokerImage | undefined,
  })

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
  await noteApplicant(nodeFileSystem, path, 'j')
  await noteApplicant(nodeFileSystem, path, 'k')
  const epochs = async (incarnationId: string) => {
    const [found] = await registered(directories, { brokerEpoch: 9n, incarnationId })
    return found
  }
  expect(await epochs('j')).toEqual({ directoryId: 'd', cleanliness: 'clean', brokerEpoch: 9n })
  expect(await epochs('k')).toMatchObject({ brokerEpoch: 9n })
  // The registration before theirs, or one of a process that did not have this disk.
  expect(await epochs('i')).toMatchObject({ brokerEpoch: 7n })
  expect(await epochs('other')).toMatchObject({ brokerEpoch: 7n })
  await writeSession(nodeFileSystem, path, { ...session, brokerEpoch: 9n, incarnationId: 'k' })
  expect(await registered(directories, { brokerEpoch: 10n, incarnationId: 'j' })).toEqual([
    { directoryId: 'd', cleanliness: 'clean', brokerEpoch: 9n },
  ])
})

it('does not count on a disk that has failed', async () => {
  const offline = new LogDirectoryError('LOG_DIRECTORY_OFFLINE', path, 'it has failed')
  expect(await registered(new Map([['d', { path, offline }]]))).toEqual([])
})
