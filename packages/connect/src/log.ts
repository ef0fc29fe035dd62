/**
 * Where the runtime's log lines go. The application decides; nothing is written by default.
 */
export type LogLevel = "debug" | "info" | "warn" | "error"

export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void

export const silent: Log = () => undefined
