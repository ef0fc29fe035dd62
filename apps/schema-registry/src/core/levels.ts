/**
 * Compatibility levels and modes: the words of the API.
 */
export const COMPATIBILITY_LEVELS = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number]

export const MODES = ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"] as const
export type Mode = (typeof MODES)[number]

export const isLevel = (text: unknown): text is CompatibilityLevel =>
  COMPATIBILITY_LEVELS.includes(text as CompatibilityLevel)
export const isMode = (text: unknown): text is Mode => MODES.includes(text as Mode)
