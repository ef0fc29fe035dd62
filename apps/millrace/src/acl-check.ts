/**
 * Whether an access rule that is to be added can ever match. A broker takes all of them, as Kafka's does: a principal of another
 * type may be somebody's own, and a client must not know all operations. Whoever types one has most likely slipped.
 */
import { isIP, isIPv6 } from "node:net"
import { invalidTopicName } from "@millrace/broker/controller/topic-names"
import { type AclRule, OPERATIONS_OF_RESOURCE } from "@millrace/client"
import { UsageError } from "./command.ts"

const PRINCIPAL = /^User:./
const ALL = "*"

/** Throws a UsageError that names the option and what to write instead. */
export function checkRule({ resourceType, resourceName, patternType, principal, host, operation }: AclRule): void {
  if (!PRINCIPAL.test(principal)) throw new UsageError(`--principal ${principal}: ${expectedUser(principal)}`)
  if (host !== ALL && isIP(host) === 0)
    throw new UsageError(`--from-host ${host}: expected one IP address, or * for everywhere`)
  const operations: readonly string[] = OPERATIONS_OF_RESOURCE[resourceType]
  if (operation !== "ALL" && !operations.includes(operation)) {
    const possible = ["all", ...operations.map((name) => name.toLowerCase())].join(", ")
    const what = resourceType.toLowerCase().replaceAll("_", " ")
    throw new UsageError(`--operation ${operation.toLowerCase()} does not exist for a ${what}: expected ${possible}`)
  }
  if (resourceType === "USER" && patternType === "LITERAL" && resourceName !== ALL && !PRINCIPAL.test(resourceName))
    throw new UsageError(`--user ${resourceName}: ${expectedUser(resourceName)}`)
  if (resourceType === "TOPIC") checkTopic(resourceName, patternType === "PREFIXED")
}

function expectedUser(text: string): string {
  const name = text.slice(text.indexOf(":") + 1)
  return name === "" ? "expected User:NAME" : `expected User:NAME, such as User:${name}`
}

function checkTopic(name: string, isPrefix: boolean): void {
  if (!isPrefix && name === ALL) return
  const reason = invalidTopicName(name)
  if (reason === undefined || (isPrefix && /^\.\.?$/.test(name))) return
  const option = isPrefix ? "topic-prefix" : "topic"
  const start = name.replace(/\*+$/, "")
  const meant = start === name ? undefined : start === "" ? `--topic "*"` : `--topic-prefix ${start}`
  const hint =
    meant !== undefined && (start === "" || invalidTopicName(start) === undefined) ? `; did you mean ${meant}?` : ""
  throw new UsageError(`--${option} ${name}: ${reason}${hint}`)
}

/** The form in which connections tell it: another would match none of them. */
export function canonicalHost(host: string): string {
  return isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host
}
