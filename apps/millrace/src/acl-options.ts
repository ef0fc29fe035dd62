/**
 * Access rules as options of commands: what they are about, who, and what.
 *
 *   --topic orders --principal User:alice --operation read     --topic-prefix orders. …     --cluster …
 */
import {
  ACL_OPERATIONS,
  type AclOperationName,
  type AclResource,
  type AclRule,
  type AclRuleFilter,
  CLUSTER_NAME,
} from "@millrace/client"
import { UsageError } from "./command.ts"

/** By the option that names one resource; `-prefix` behind it means all that begin so. */
const RESOURCES = {
  topic: "TOPIC",
  group: "GROUP",
  "transactional-id": "TRANSACTIONAL_ID",
  user: "USER",
  token: "DELEGATION_TOKEN",
} as const satisfies Readonly<Record<string, AclResource>>

export const resourceOptions = {
  topic: { value: "NAME", help: "the topic; * for all" },
  "topic-prefix": { value: "TEXT", help: "topics whose names begin so" },
  group: { value: "NAME", help: "the group; * for all" },
  "group-prefix": { value: "TEXT", help: "groups whose names begin so" },
  "transactional-id": { value: "ID", help: "the transactional id; * for all" },
  "transactional-id-prefix": { value: "TEXT", help: "transactional ids that begin so" },
  user: { value: "User:NAME", help: "the user whose delegation tokens it is about" },
  token: { value: "ID", help: "the delegation token" },
  cluster: { help: "the cluster itself" },
} as const

export const ruleOptions = {
  ...resourceOptions,
  principal: { value: "User:NAME", help: "whom the rule is for; User:* for everybody" },
  operation: { value: "NAME", help: `${ACL_OPERATIONS.map((name) => name.toLowerCase()).join(", ")}` },
  "from-host": { value: "ADDRESS", help: "where from; * for everywhere" },
} as const

/** Of commands about rules that are there. Of a rule that is added all is said; here what is left out matches everything. */
export const filterOptions = {
  ...ruleOptions,
  allow: { help: "rules that allow" },
  deny: { help: "rules that deny" },
} as const

interface ResourceValues {
  readonly cluster: boolean
  readonly [option: string]: unknown
}

type Resource = Pick<AclRule, "resourceType" | "resourceName" | "patternType">

/** All that the options name; none when they name nothing. */
export function resourcesOf(options: ResourceValues): Resource[] {
  const named = Object.entries(RESOURCES).flatMap(([option, resourceType]): Resource[] => {
    const of = (value: unknown, patternType: Resource["patternType"]): Resource[] =>
      typeof value === "string" ? [{ resourceType, resourceName: value, patternType }] : []
    return [...of(options[option], "LITERAL"), ...of(options[`${option}-prefix`], "PREFIXED")]
  })
  if (!options.cluster) return named
  return [...named, { resourceType: "CLUSTER", resourceName: CLUSTER_NAME, patternType: "LITERAL" }]
}

export function operationOf(text: string): AclOperationName {
  const wanted = text.toUpperCase().replaceAll("-", "_")
  const operation = ACL_OPERATIONS.find((name) => name === wanted)
  if (operation === undefined)
    throw new UsageError(`--operation ${text}: expected ${ACL_OPERATIONS.map((name) => name.toLowerCase()).join(", ")}`)
  return operation
}

interface FilterValues extends ResourceValues {
  readonly principal: string | undefined
  readonly operation: string | undefined
  readonly "from-host": string | undefined
  readonly allow: boolean
  readonly deny: boolean
}

/** One for each resource that is named, or one for all of them. With both `allow` and `deny` they match rules of both kinds. */
export function filtersOf(options: FilterValues): AclRuleFilter[] {
  const resources: readonly Partial<Resource>[] = resourcesOf(options)
  const { principal, operation, "from-host": host, allow, deny } = options
  return (resources.length === 0 ? [{}] : resources).map((resource) => ({
    ...resource,
    ...(principal !== undefined && { principal }),
    ...(operation !== undefined && { operation: operationOf(operation) }),
    ...(host !== undefined && { host }),
    ...(allow !== deny && { permission: deny ? "DENY" : "ALLOW" }),
  }))
}

export const ACL_HEADINGS = ["resource", "name", "pattern", "principal", "host", "operation", "permission"] as const

export const aclRow = ({ resourceType, resourceName, patternType, principal, host, operation, permission }: AclRule) =>
  [resourceType, resourceName, patternType, principal, host, operation, permission].map((cell, column) =>
    column === 1 || column === 3 || column === 4 ? cell : cell.toLowerCase(),
  )

/** `allow User:alice read topic orders` */
export const aclText = (rule: AclRule): string => {
  const { resourceType, resourceName, patternType, principal, host, operation, permission } = rule
  const what = `${resourceType.toLowerCase()} ${resourceName}${patternType === "PREFIXED" ? "…" : ""}`
  const from = host === "*" ? "" : ` from ${host}`
  return `${permission.toLowerCase()} ${principal} ${operation.toLowerCase()} ${what}${from}`
}
