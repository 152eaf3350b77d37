/**
 * Loaded before a program (`node --import`): takes the rule away that NARU_MUTATION names, while its file is loaded. The sources on
 * the disk stay as they are.
 */
import { registerHooks } from 'node:module'
import { mutate } from './mutate.ts'
import { mutationNamed } from './mutations.ts'

const mutation = mutationNamed(process.env['NARU_MUTATION'] ?? '')

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(`/${mutation.file}`)) return loaded
    return { ...loaded, source: mutate(String(loaded.source), mutation) }
  },
})
