/**
 * Whose quotas a command is about, as options that have the names of `kafka-configs`:
 *
 *   --client reports     --user alice --client reports     --user-defaults     --ip 10.0.0.7
 */
import type { QuotaEntity } from "@millrace/client"
import { UsageError } from "./command.ts"

export const entityOptions = {
  user: { value: "NAME", help: "of a user, shared by all of its clients" },
  "user-defaults": { help: "of each user that has none of its own" },
  client: {
    value: "ID",
    help: "of a client id, shared by all that use it; with a user, of that user's clients with that id",
  },
  "client-defaults": { help: "of each client id that has none of its own" },
  ip: { value: "ADDRESS", help: "of an address" },
  "ip-defaults": { help: "of each address that has none of its own" },
} as const

/** By the option that names one. */
const KINDS = [
  ["user", "user"],
  ["client", "clientId"],
  ["ip", "ip"],
] as const

interface EntityValues {
  readonly user: string | undefined
  readonly "user-defaults": boolean
  readonly client: string | undefined
  readonly "client-defaults": boolean
  readonly ip: string | undefined
  readonly "ip-defaults": boolean
}

/** What the options name; nothing when they name nobody. */
export function entityOf(command: string, values: EntityValues): QuotaEntity {
  const { user } = values
  if (user !== undefined && /^User:/i.test(user))
    throw new UsageError(`--user ${user}: expected a name without its type: ${user.slice("User:".length)}`)
  const entity: QuotaEntity = Object.fromEntries(
    KINDS.flatMap(([option, kind]): [string, string | null][] => {
      const name = values[option]
      if (!values[`${option}-defaults`]) return name === undefined ? [] : [[kind, name]]
      if (name === undefined) return [[kind, null]]
      throw new UsageError(
        `millrace ${command}: --${option} ${name} and --${option}-defaults are not the same; choose one`,
      )
    }),
  )
  if (entity.ip !== undefined && Object.keys(entity).length > 1)
    throw new UsageError(`millrace ${command}: an address has quotas of its own; leave out --user and --client`)
  return entity
}

/** The same where somebody has to be named. */
export function namedEntityOf(command: string, values: EntityValues): QuotaEntity {
  const entity = entityOf(command, values)
  if (Object.keys(entity).length > 0) return entity
  throw new UsageError(`millrace ${command} needs whose quotas: --user, --client, --ip, or one of them with -defaults`)
}

/** As the options say it, for people. */
export const told = (entity: QuotaEntity): string =>
  KINDS.flatMap(([option, kind]) => {
    const name = entity[kind]
    return name === undefined ? [] : [name === null ? `${option}-defaults` : `${option} ${name}`]
  }).join(" ")

/** Whether it is this entity, and not one with more parts. */
export const isSame = (a: QuotaEntity, b: QuotaEntity): boolean => KINDS.every(([, kind]) => a[kind] === b[kind])
