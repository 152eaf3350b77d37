/** Why a text cannot name a topic; undefined when it can. */
export function invalidTopicName(name: string): string | undefined {
  if (name === '') return 'Topic name is empty'
  if (name === '.' || name === '..') return `Topic name cannot be ${name}`
  if (name.length > 249) return `Topic name has ${name.length} characters: at most 249 are allowed`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `Topic name ${name} has characters other than letters, digits, . _ and -`
  }
  return undefined
}

/** Names that differ only in `.` and `_` collide in metric names, so Kafka refuses the second. */
export function topicNamesCollide(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  // Character by character: almost all names differ early, and a new one is compared with every other.
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at] && !(isSeparator(a[at]) && isSeparator(b[at]))) return false
  }
  return true
}

function isSeparator(character: string | undefined): boolean {
  return character === '.' || character === '_'
}

const internalTopics = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Topics in which brokers keep the state of groups and transactions: clients may read them, not write. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}

/** The name of the metadata log, which is no topic. */
export function isReservedTopic(name: string): boolean {
  return name === '__cluster_metadata'
}
