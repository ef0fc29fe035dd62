/**
 * Principals, `User:alice`, and how the name in a certificate becomes one (`ssl.principal.mapping.rules`, KIP-371).
 */
import { ConfigError } from "@millrace/config"

export const ANONYMOUS = "User:ANONYMOUS"

/** Of `User:alice` what is before the first colon, and what is behind it. */
export const typeOfPrincipal = (principal: string): string => principal.slice(0, principal.indexOf(":"))
export const nameOfPrincipal = (principal: string): string => principal.slice(principal.indexOf(":") + 1)

export const userPrincipal = (name: string): string => `User:${name}`

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
    return ANONYMOUS.slice("User:".length)
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
