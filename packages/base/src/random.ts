/** The port of randomness. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  uint32(): number
  /** `length` random bytes. */
  bytes(length: number): Buffer
}
