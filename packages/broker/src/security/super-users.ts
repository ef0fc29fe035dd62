/** The setting `super.users`: principals, separated by semicolons, since the names in certificates have commas. */
import { USER_TYPE } from "@millrace/protocol/principal"

const entries = (text: string): string[] =>
  text
    .split(";")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")

export const superUsersOf = (text: string): ReadonlySet<string> => new Set(entries(text))

/** What in it can never be meant, or undefined. */
export function wrongSuperUsers(text: string): string | undefined {
  for (const entry of entries(text)) {
    if (/,\s*User:/.test(entry))
      return `has its entries separated by semicolons: ${entry.replaceAll(/,\s*User:/g, ";User:")}`
    const [type, name = ""] = entry.split(/:(.*)/s)
    if (!entry.includes(":") || name === "")
      return `expected a string in format principalType:principalName but got ${entry}: User:${entry.replace(/:$/, "")}`
    if (type !== USER_TYPE) return `has principals of the type ${USER_TYPE} alone, not ${type}: ${USER_TYPE}:${name}`
  }
  return undefined
}
