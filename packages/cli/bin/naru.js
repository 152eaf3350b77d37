#!/usr/bin/env node
// The only entrance to the program. Plain JavaScript, so that an old Node can read it and hand over to the Node of
// this checkout, which runs the TypeScript as it is.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const node24 = join(root, 'node_modules', '.bin', 'node')

if (Number(process.versions.node.split('.')[0]) >= 24 && existsSync(join(root, 'node_modules'))) {
  module.enableCompileCache(join(root, 'node_modules', '.cache', 'node'))
  await import('../src/main.ts')
} else {
  if (!existsSync(node24)) {
    const install = spawnSync(join(root, 'dev', 'install'), { cwd: root, stdio: 'inherit' })
    if (install.status !== 0) process.exit(install.status ?? 1)
  }
  const child = spawn(node24, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
