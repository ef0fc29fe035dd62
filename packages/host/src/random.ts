/**
 * Randomness as a port, so that a seed decides every choice in a simulation.
 */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number
  /** Uniform integer in [0, bound). */
  int(bound: number): number
  /** `length` random bytes, of cryptographic strength in production. The caller owns the buffer. */
  bytes(length: number): Uint8Array
}
