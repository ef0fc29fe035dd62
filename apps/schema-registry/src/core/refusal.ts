/**
 * The registry's refusals: one table of codes. The HTTP status is the code's first three digits.
 */
export const RefusalCode = {
  SUBJECT_NOT_FOUND: 40401,
  VERSION_NOT_FOUND: 40402,
  SCHEMA_NOT_FOUND: 40403,
  SUBJECT_SOFT_DELETED: 40404,
  SUBJECT_NOT_SOFT_DELETED: 40405,
  VERSION_SOFT_DELETED: 40406,
  VERSION_NOT_SOFT_DELETED: 40407,
  SUBJECT_LEVEL_NOT_CONFIGURED: 40408,
  SUBJECT_MODE_NOT_CONFIGURED: 40409,
  INCOMPATIBLE_SCHEMA: 40901,
  INVALID_SCHEMA: 42201,
  INVALID_VERSION: 42202,
  INVALID_COMPATIBILITY_LEVEL: 42203,
  INVALID_MODE: 42204,
  OPERATION_NOT_PERMITTED: 42205,
  REFERENCE_EXISTS: 42206,
  INVALID_SUBJECT: 42208,
  SCHEMA_TOO_LARGE: 42209,
  STORE_ERROR: 50001,
  STORE_TIMEOUT: 50002,
  FORWARDING_FAILED: 50003,
  UNKNOWN_LEADER: 50004,
} as const
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode]

/** A request that the registry does not fulfil, and why. */
export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string) {
    super(message)
    this.code = code
  }
  get status(): number {
    return Math.floor(this.code / 100)
  }
}
