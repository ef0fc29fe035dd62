/**
 * Principals, `User:alice`, and how the name in a certificate becomes one (`ssl.principal.mapping.rules`, KIP-371).
 */
import { ConfigError } from "@millrace/config"
import { principalText, USER_TYPE } from "@millrace/protocol/principal"

const ANONYMOUS_NAME = "ANONYMOUS"

export const userPrincipal = (principalName: string): string =>
  principalText({ principalType: USER_TYPE, principalName })

export const ANONYMOUS = userPrincipal(ANONYMOUS_NAME)

/** From a distinguished name to a user's name. */
export type PrincipalMapping = (distinguishedName: string) => string

const RULE = /\s*(?:DEFAULT|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y
const KEY = "ssl.principal.mapping.rules"

/** Throws a ConfigError. The first rule that matches all of the name gives it. */
export function principalMapping(rules: string): PrincipalMapping {
  const mappings: ((name: string) => string | undefined)[] = []
  RULE.lastIndex = 0
  while (RULE.lastIndex < rules.length) {
    const at = RULE.lastIndex
    const match = RULE.exec(rules)
    if (match === null)
      throw new ConfigError(KEY, `config ${KEY}: no rule begins at ${JSON.stringify(rules.slice(at))}`)
    mappings.push(match[1] === undefined ? (name) => name : rule(match[1], match[2]!, match[3]!))
  }
  return (name) => {
    for (const map of mappings) {
      const mapped = map(name)
      if (mapped !== undefined) return mapped
    }
    return ANONYMOUS_NAME
  }
}

function rule(pattern: string, replacement: string, letters: string): (name: string) => string | undefined {
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${pattern})$`, "u")
  } catch {
    throw new ConfigError(KEY, `config ${KEY}: ${JSON.stringify(pattern)} is no regular expression`)
  }
  return (name) => {
    if (!expression.test(name)) return undefined
    const mapped = name.replace(expression, replacement)
    return letters === "L" ? mapped.toLowerCase() : letters === "U" ? mapped.toUpperCase() : mapped
  }
}
