import type { Mutation } from './mutation.ts'

/** The text with the rule taken away. Throws when a place of the mutation does not occur just once: the list is out of date. */
export function mutate(text: string, mutation: Mutation): string {
  const edits = mutation.and === undefined ? [mutation] : [mutation, mutation.and]
  return edits.reduce((changed, { from, to }) => {
    const parts = changed.split(from)
    if (parts.length !== 2) {
      throw new Error(`${mutation.file} has ${parts.length - 1} places for "${mutation.rule}"`)
    }
    return parts.join(to)
  }, text)
}
