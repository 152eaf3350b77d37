import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogDirectoryError } from '@naru/log'
import { nodeFileSystem } from '@naru/platform'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Directories, registeredDirectories } from './membership.ts'
import { writeSession } from './session-file.ts'

let path: string

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'naru-membership-'))
})

afterEach(() => rmSync(path, { recursive: true, force: true }))

const registered = (directories: Directories) =>
  registeredDirectories(nodeFileSystem, directories, 'boot')

it('says of each disk how it is when it is asked', async () => {
  const directories: Directories = new Map([['d', { path, offline: undefined }]])
  const unknown = { cleanliness: 'unknown', brokerEpoch: -1n }
  expect(await registered(directories)).toEqual([{ directoryId: 'd', ...unknown }])
  const session = { brokerEpoch: 7n, bootId: 'boot', incarnationId: 'i', isClean: false }
  await writeSession(nodeFileSystem, path, session)
  const running = { cleanliness: 'process-crash', brokerEpoch: 7n }
  expect(await registered(directories)).toEqual([{ directoryId: 'd', ...running }])
})

it('does not count on a disk that has failed', async () => {
  const offline = new LogDirectoryError('LOG_DIRECTORY_OFFLINE', path, 'it has failed')
  expect(await registered(new Map([['d', { path, offline }]]))).toEqual([])
})
