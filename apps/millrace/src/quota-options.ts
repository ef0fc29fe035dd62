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
  const one = (option: "user" | "client" | "ip") => {
    const name = values[option]
    const isDefault = values[`${option}-defaults`]
    if (name !== undefined && isDefault)
      throw new UsageError(
        `millrace ${command}: --${option} ${name} and --${option}-defaults are not the same; choose one`,
      )
    return name ?? (isDefault ? null : undefined)
  }
  if (values.user !== undefined && /^User:/i.test(values.user))
    throw new UsageError(
      `--user ${values.user}: expected a name without its type: ${values.user.slice("User:".length)}`,
    )
  const [user, clientId, ip] = [one("user"), one("client"), one("ip")]
  if (ip !== undefined && (user !== undefined || clientId !== undefined))
    throw new UsageError(`millrace ${command}: an address has quotas of its own; leave out --user and --client`)
  return {
    ...(user !== undefined && { user }),
    ...(clientId !== undefined && { clientId }),
    ...(ip !== undefined && { ip }),
  }
}

/** The same where somebody has to be named. */
export function namedEntityOf(command: string, values: EntityValues): QuotaEntity {
  const entity = entityOf(command, values)
  if (Object.keys(entity).length > 0) return entity
  throw new UsageError(`millrace ${command} needs whose quotas: --user, --client, --ip, or one of them with -defaults`)
}

const KINDS = [
  ["user", "user"],
  ["client", "clientId"],
  ["ip", "ip"],
] as const

/** As the options say it, for people. */
export const told = (entity: QuotaEntity): string =>
  KINDS.flatMap(([option, kind]) => {
    const name = entity[kind]
    return name === undefined ? [] : [name === null ? `${option}-defaults` : `${option} ${name}`]
  }).join(" ")

/** Whether it is this entity, and not one with more parts. */
export const isSame = (a: QuotaEntity, b: QuotaEntity): boolean => KINDS.every(([, kind]) => a[kind] === b[kind])
