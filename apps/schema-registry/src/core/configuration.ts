/**
 * Compatibility levels and modes, of the registry, a context or a subject: get, set, delete.
 */
import type { ConfigValue, RegistryRecord } from "../record/record.ts"
import { answer, type Decision, type Registry } from "./decision.ts"
import { type CompatibilityLevel, COMPATIBILITY_LEVELS, isLevel, isMode, type Mode, MODES } from "./levels.ts"
import { Refusal, RefusalCode } from "./refusal.ts"
import { configOf, isReadOnly, modeOf, refuseReadOnly } from "./settings.ts"
import type { RegistryState } from "./state.ts"
import { contextOf, parseSubject } from "./subject.ts"
import { subjectNotFound } from "./versions.ts"

/** A subject, `:.ctx:`, or null for the registry. */
export type Scope = string | null

export function getConfig(
  { state, defaults }: Registry,
  scope: Scope,
  defaultToGlobal: boolean,
): Decision<ConfigValue> {
  if (scope === null) return answer({ compatibilityLevel: defaults.level, ...state.config(null) })
  const own = state.config(scope)
  if (own) return answer(own)
  if (defaultToGlobal) return answer({ compatibilityLevel: defaults.level, ...configOf(state, defaults, scope) })
  throw new Refusal(RefusalCode.SUBJECT_LEVEL_NOT_CONFIGURED, `No compatibility level is set for '${scope}' itself`)
}

/** Settings that a request may change, beside the level; null or absent leaves one as it is. */
const SETTINGS = [
  "alias",
  "normalize",
  "validateFields",
  "validateRules",
  "compatibilityGroup",
  "compatibilityPolicy",
  "defaultMetadata",
  "overrideMetadata",
  "defaultRuleSet",
  "overrideRuleSet",
] as const

/** What is set is what the body names; the rest stays. Answers the body's own words. */
export function putConfig({ state }: Registry, scope: Scope, body: Record<string, unknown>): Decision<object> {
  const level = body.compatibility
  if (level !== undefined && level !== null && !isLevel(level)) {
    throw new Refusal(
      RefusalCode.INVALID_COMPATIBILITY_LEVEL,
      `Invalid compatibility level ${JSON.stringify(level)}. Valid values are ${COMPATIBILITY_LEVELS.join(", ")}`,
    )
  }
  if (scope !== null) refuseReadOnly(state, scope)
  else if (isReadOnly(state.mode(null) ?? "READWRITE")) {
    throw new Refusal(RefusalCode.OPERATION_NOT_PERMITTED, "The registry is in read-only mode")
  }
  const given = Object.fromEntries(SETTINGS.filter((name) => name in body).map((name) => [name, body[name]]))
  const value: ConfigValue = {
    ...state.config(scope),
    ...given,
    ...(level ? { compatibilityLevel: level as CompatibilityLevel } : {}),
  }
  return {
    records: [{ keytype: "CONFIG", subject: scope, value }],
    answer: { ...given, ...(level ? { compatibility: level } : {}) },
  }
}

/** Answers what was set. */
export function deleteConfig(registry: Registry, scope: Scope): Decision<ConfigValue> {
  const { state } = registry
  const own = state.config(scope)
  if (scope !== null) refuseReadOnly(state, scope)
  if (scope !== null && !own) throw subjectNotFound(scope)
  const records: RegistryRecord[] = own ? [{ keytype: "CONFIG", subject: scope, value: null }] : []
  return { records, answer: own ?? getConfig(registry, null, false).answer }
}

export function getMode({ state }: Registry, scope: Scope, defaultToGlobal: boolean): Decision<{ mode: Mode }> {
  const own = state.mode(scope)
  if (own) return answer({ mode: own })
  if (scope === null) return answer({ mode: "READWRITE" })
  if (defaultToGlobal) return answer({ mode: modeOf(state, scope) })
  throw new Refusal(RefusalCode.SUBJECT_MODE_NOT_CONFIGURED, `No mode is set for '${scope}' itself`)
}

export function putMode(
  { state, defaults }: Registry,
  scope: Scope,
  body: Record<string, unknown>,
  force: boolean,
): Decision<{ mode: Mode }> {
  const { mode } = body
  if (!isMode(mode)) {
    throw new Refusal(
      RefusalCode.INVALID_MODE,
      `Invalid mode ${JSON.stringify(mode)}. Valid values are ${MODES.join(", ")}`,
    )
  }
  refuseImmutable(defaults.modesMutable)
  if (mode === "IMPORT" && !force && state.mode(scope) !== "IMPORT" && hasSchemas(state, scope)) {
    throw new Refusal(
      RefusalCode.OPERATION_NOT_PERMITTED,
      `IMPORT needs an empty ${scope ?? "registry"}: delete its subjects, or say force=true`,
    )
  }
  return { records: [{ keytype: "MODE", subject: scope, value: { mode } }], answer: { mode } }
}

/** Answers the mode that was set. `recursive` on a context, or on the registry, resets the subjects in it too. */
export function deleteMode({ state, defaults }: Registry, scope: Scope, recursive: boolean): Decision<{ mode: Mode }> {
  refuseImmutable(defaults.modesMutable)
  const own = state.mode(scope)
  if (scope !== null && !own) throw subjectNotFound(scope)
  const inside = recursive ? state.subjects().filter((subject) => isWithin(subject, scope) && state.mode(subject)) : []
  const scopes = [...(own ? [scope] : []), ...inside.filter((subject) => subject !== scope)]
  return {
    records: scopes.map((subject) => ({ keytype: "MODE", subject, value: null })),
    answer: { mode: own ?? "READWRITE" },
  }
}

function refuseImmutable(mutable: boolean): void {
  if (!mutable)
    throw new Refusal(RefusalCode.OPERATION_NOT_PERMITTED, "Modes may not be changed: mode.mutability is false")
}

const isWithin = (subject: string, scope: Scope): boolean =>
  scope === null || (parseSubject(scope).subject === "" && contextOf(subject) === contextOf(scope))

const hasSchemas = (state: RegistryState, scope: Scope): boolean =>
  state
    .subjects()
    .some(
      (subject) =>
        (subject === scope || isWithin(subject, scope)) && state.versions(subject).some((one) => !one.deleted),
    )
