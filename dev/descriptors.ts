import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What reflection tells about the public services: the compiler's own descriptors, since those of proto-loader lose imports and maps. */
export function descriptors(): Buffer {
  const build = (...parameters: string[]) =>
    execFileSync(
      'node_modules/.bin/buf',
      ['build', ...parameters, '--as-file-descriptor-set', '-o', '-'],
      {
        cwd: root,
      },
    )
  // Two sets after each other are one.
  return Buffer.concat([
    build('--path', 'proto/naru/admin'),
    build('node_modules/grpc-health-check/proto', '--exclude-source-info'),
  ])
}
