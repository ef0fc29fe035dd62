/**
 * Request bodies, checked.
 */
import type { HttpRequest } from "@millrace/host/node/http"
import { isPlainObject } from "../data/schema.ts"
import type { TargetState } from "../runtime/herder.ts"
import { badRequest } from "../runtime/refused.ts"

export function objectBody(request: HttpRequest): Record<string, unknown> {
  const body = request.json()
  if (!isPlainObject(body)) throw badRequest("the request body should be a JSON object")
  return body
}

/** A flat map of settings. Numbers and booleans become text, as they do in Kafka Connect. */
export function settingsOf(value: unknown, what: string): Record<string, string> {
  if (!isPlainObject(value)) throw badRequest(`${what} should be an object of settings`)
  const settings: Record<string, string> = {}
  for (const [key, item] of Object.entries(value)) settings[key] = settingText(key, item)
  return settings
}

/** The same for a change of settings: null takes a key away. */
export function changesOf(value: Record<string, unknown>): Record<string, string | null> {
  const changes: Record<string, string | null> = {}
  for (const [key, item] of Object.entries(value)) changes[key] = item === null ? null : settingText(key, item)
  return changes
}

function settingText(key: string, value: unknown): string {
  if (typeof value === "string") return value
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  throw badRequest(`setting ${key} should be text`)
}

const INITIAL_STATE: Readonly<Record<string, TargetState>> = {
  RUNNING: "STARTED",
  PAUSED: "PAUSED",
  STOPPED: "STOPPED",
}

export function initialState(value: unknown): TargetState {
  if (value === undefined || value === null) return "STARTED"
  const target = typeof value === "string" ? INITIAL_STATE[value.toUpperCase()] : undefined
  if (!target) throw badRequest(`initial_state should be one of ${Object.keys(INITIAL_STATE).join(", ")}`)
  return target
}

export function flag(request: HttpRequest, name: string, whenAbsent: boolean): boolean {
  const text = request.query.get(name)
  return text === null ? whenAbsent : text === "" || text.toLowerCase() === "true"
}
