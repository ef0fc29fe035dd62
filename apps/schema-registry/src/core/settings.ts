/**
 * Which settings apply to a subject: its own, else its context's, else the registry's, else the configured default.
 */
import type { ConfigValue } from "../record/record.ts"
import type { CompatibilityLevel, Mode } from "./levels.ts"
import { Refusal, RefusalCode } from "./refusal.ts"
import type { RegistryState } from "./state.ts"
import { contextOf, DEFAULT_CONTEXT, GLOBAL_CONTEXT } from "./subject.ts"

/** What the registry was started with. */
export interface Defaults {
  readonly level: CompatibilityLevel
  readonly modesMutable: boolean
  readonly validateDefaults: boolean
  readonly schemaBytesMax: number
}

const GLOBAL_SCOPE = `:${GLOBAL_CONTEXT}:`

/** Where a setting of a subject may be found, the nearest first. */
export function scopesOf(subject: string): (string | null)[] {
  const context = contextOf(subject)
  // A context's own scope is `:.ctx:`; the default context has none but the registry.
  const own = context === DEFAULT_CONTEXT ? [] : [`:${context}:`]
  return [...new Set([subject, ...own, null, GLOBAL_SCOPE])]
}

export function configOf(state: RegistryState, defaults: Defaults, subject: string): ConfigValue {
  for (const scope of scopesOf(subject)) {
    const config = state.config(scope)
    if (config) return config
  }
  return { compatibilityLevel: defaults.level }
}

/** What a new schema of a subject must keep. */
export interface CompatibilityPolicy {
  readonly level: CompatibilityLevel
  /** compatibilityPolicy LENIENT: JSON objects may gain optional properties. */
  readonly lenient: boolean
}

export function policyOf(state: RegistryState, defaults: Defaults, subject: string): CompatibilityPolicy {
  const { compatibilityLevel, compatibilityPolicy } = configOf(state, defaults, subject)
  return { level: compatibilityLevel ?? defaults.level, lenient: compatibilityPolicy === "LENIENT" }
}

/** Whether schemas of a subject are normalised: asked for in the request, or set for the subject. */
export const normalizes = (state: RegistryState, defaults: Defaults, subject: string, asked: boolean): boolean =>
  asked || configOf(state, defaults, subject).normalize === true

export function modeOf(state: RegistryState, subject: string): Mode {
  // READONLY_OVERRIDE of the registry wins over what subjects say.
  if (state.mode(null) === "READONLY_OVERRIDE") return "READONLY_OVERRIDE"
  for (const scope of scopesOf(subject)) {
    const mode = state.mode(scope)
    if (mode) return mode
  }
  return "READWRITE"
}

export const isReadOnly = (mode: Mode): boolean => mode === "READONLY" || mode === "READONLY_OVERRIDE"

export function refuseReadOnly(state: RegistryState, subject: string): void {
  if (isReadOnly(modeOf(state, subject))) {
    throw new Refusal(RefusalCode.OPERATION_NOT_PERMITTED, `Subject ${subject} is in read-only mode`)
  }
}
