/** The port of randomness. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  uint32(): number
  /** `length` random bytes. */
  bytes(length: number): Buffer
}

/**
 * 128 random bits as 22 characters of base64url, the text of every id of ours. It never begins with `-`, which Kafka's tools
 * would take for an option (Kafka's own random ids do not either).
 */
export function randomId(random: Random): string {
  const bytes = random.bytes(16)
  const first = bytes[0] as number
  if (first >>> 2 === 62) bytes[0] = first & 0x7f
  return bytes.toString('base64url')
}
