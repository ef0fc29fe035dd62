/**
 * Certificates of listeners that clients refuse, or soon will. Each is told of once, and once more when it gets worse: not with
 * every look, nor with every connection.
 */
import type { CertificateValidity } from "@millrace/config/ssl-stores"

const DAY_MS = 86_400_000
const SOON_DAYS = 30

type Stage = "not yet" | "good" | "soon" | "expired"

export class CertificateExpiry {
  readonly #told = new Map<string, readonly [validity: CertificateValidity, stage: Stage]>()

  /** A line when there is something new to say. */
  warning(listener: string, validity: CertificateValidity, now: number): string | undefined {
    const stage = stageOf(validity, now)
    const [before, last] = this.#told.get(listener) ?? []
    this.#told.set(listener, [validity, stage])
    if (stage === "good" || (before === validity && last === stage)) return undefined
    return `the certificate of listener ${listener} ${explained(stage, validity, now)}`
  }
}

function stageOf({ notBeforeMs, notAfterMs }: CertificateValidity, now: number): Stage {
  if (now > notAfterMs) return "expired"
  if (now < notBeforeMs) return "not yet"
  return notAfterMs - now <= SOON_DAYS * DAY_MS ? "soon" : "good"
}

function explained(stage: Stage, { notBeforeMs, notAfterMs }: CertificateValidity, now: number): string {
  if (stage === "not yet") return `is good from ${timeOf(notBeforeMs)} on: clients refuse it until then`
  if (stage === "expired") return `has expired on ${timeOf(notAfterMs)}: clients refuse it`
  const days = Math.floor((notAfterMs - now) / DAY_MS)
  return `expires on ${timeOf(notAfterMs)}, in ${days === 1 ? "1 day" : `${days} days`}`
}

// oxlint-disable-next-line no-restricted-globals -- a time of the certificate's, written for people
const timeOf = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z")
