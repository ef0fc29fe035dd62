/**
 * A route: what the API has, in one table from which the server and the documentation derive.
 */
import type { Decision, Registry } from "../core/decision.ts"

export type Method = "GET" | "POST" | "PUT" | "DELETE"

export interface Route {
  readonly method: Method
  /** Segments and `:name` segments. */
  readonly path: string
  readonly summary: string
  /** Query parameters that it takes. */
  readonly query: readonly string[]
  /** Whether it may append records: such requests go one after another, through the leader. */
  readonly writes: boolean
  /** The answer's body is JSON. Refusals are thrown. */
  decide(registry: Registry, request: RouteRequest): Decision
}

export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The JSON body; an empty object when there is none. */
  readonly body: Readonly<Record<string, unknown>>
}

export const flag = (request: RouteRequest, name: string): boolean => request.query.get(name)?.toLowerCase() === "true"

/** A page of a list: `offset` and `limit`, negative meaning all. */
export function page<T>(request: RouteRequest, list: readonly T[]): T[] {
  const offset = Math.max(0, integer(request, "offset") ?? 0)
  const limit = integer(request, "limit") ?? -1
  return list.slice(offset, limit < 0 ? undefined : offset + limit)
}

function integer(request: RouteRequest, name: string): number | undefined {
  const text = request.query.get(name)
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined
}
