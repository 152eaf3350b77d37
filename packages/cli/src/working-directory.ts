import { resolve } from 'node:path'

/** A path as the person meant it: `npm run naru` changes to the repository and remembers where it was called. */
export function fromHere(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path)
}
