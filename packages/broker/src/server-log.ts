/**
 * What the broker tells whoever runs it: a line for people, and the same as names and values for programs. Nothing secret is
 * in it. Events are few: what a client does is counted (metrics) and traced, not logged.
 */

export interface ServerEvent {
  /** error: something failed that should not, look at once. warn: somebody should look. info: it is as it should be. */
  readonly level: "info" | "warn" | "error"
  /** Stays when the words of the line change, such as `partition-offline`. */
  readonly event: string
  readonly [detail: string]: string | number
}

export type ServerLog = (message: string, event: ServerEvent) => void

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
