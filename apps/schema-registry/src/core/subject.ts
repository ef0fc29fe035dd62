/**
 * Subjects and contexts.
 *
 * A context is a registry of its own inside the registry: ids and subjects in it are its own. A subject in a context is
 * written `:.ctx:orders-value`; one in the default context, called `.`, is written plainly. `:.ctx:` alone stands for the
 * context itself as a scope of configuration, `:.__GLOBAL:` for the whole registry.
 */
import { Refusal, RefusalCode } from "./refusal.ts"

export const DEFAULT_CONTEXT = "."
export const GLOBAL_CONTEXT = ".__GLOBAL"

export interface QualifiedSubject {
  readonly context: string
  /** Empty for the context itself. */
  readonly subject: string
}

export function parseSubject(name: string): QualifiedSubject {
  const match = /^:(\.[^:]*):(.*)$/s.exec(name)
  if (!match) return { context: DEFAULT_CONTEXT, subject: name }
  return { context: match[1]!, subject: match[2]! }
}

export const formatSubject = ({ context, subject }: QualifiedSubject): string =>
  context === DEFAULT_CONTEXT ? subject : `:${context}:${subject}`

/** The one spelling of a subject: `:.:orders` is `orders`. */
export const canonicalSubject = (name: string): string => formatSubject(parseSubject(name))

export const contextOf = (name: string): string => parseSubject(name).context

/** A subject named without a context, as seen from another subject: it is in that one's context. */
export function relativeTo(parent: string, name: string): string {
  if (name.startsWith(":.")) return canonicalSubject(name)
  return formatSubject({ context: contextOf(parent), subject: name })
}

/** A subject that schemas may be registered under. */
export function checkedSubject(name: string): string {
  const subject = canonicalSubject(name)
  // oxlint-disable-next-line no-control-regex -- exactly these are not allowed
  if (parseSubject(subject).subject === "" || /[\u0000-\u001f\u007f]/.test(subject) || subject === ":.__GLOBAL:") {
    throw new Refusal(RefusalCode.INVALID_SUBJECT, `${JSON.stringify(name)} is not a valid subject name`)
  }
  return subject
}

/** Whether a subject is among those that `subjectPrefix` asks for: `:*:` means every context. */
export function matchesPrefix(subject: string, prefix: string): boolean {
  if (!prefix.startsWith(":*:")) {
    const wanted = parseSubject(prefix)
    const found = parseSubject(subject)
    return found.context === wanted.context && found.subject.startsWith(wanted.subject)
  }
  return parseSubject(subject).subject.startsWith(prefix.slice(":*:".length))
}
