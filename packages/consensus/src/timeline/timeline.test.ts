// The timeline on real files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileSystem, systemClock } from '@naru/platform'
import { afterAll, describe } from 'vitest'
import { timelineContract } from './timeline.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'naru-timeline-'))
let worlds = 0

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('on real files', () => {
  timelineContract(() => ({
    fileSystem: nodeFileSystem,
    directory: join(root, String(worlds++), 'timeline'),
    clock: systemClock,
    drive: (promise) => promise,
  }))
})
