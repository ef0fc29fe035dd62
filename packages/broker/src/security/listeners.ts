/**
 * The security of all listeners, as the settings and the files they name say now: certificates that are replaced while the
 * broker runs are noticed (`reload`), what cannot be read then leaves the old ones in use, and is told of once.
 */
import { formatAddress, isLoopback } from "@millrace/host"
import type { ListenerSpec } from "../network/listeners.ts"
import { reasonOf } from "../server-log.ts"
import { CertificateExpiry } from "./certificate-expiry.ts"
import {
  checkListenerNames,
  IN_THE_CLEAR,
  type ListenerSecurity,
  listenerSecurity,
  type SecurityPorts,
} from "./listener-security.ts"

export interface Reload {
  /** The listeners whose certificates are others now. */
  readonly renewed: readonly string[]
  /** Those whose files cannot be taken in, for a reason that was not told before. */
  readonly failed: readonly { readonly listener: string; readonly reason: string }[]
}

export class Listeners {
  readonly #specs: readonly ListenerSpec[]
  readonly #settings: Readonly<Record<string, string>>
  readonly #ports: SecurityPorts
  readonly #security: Map<string, ListenerSecurity>
  readonly #expiry = new CertificateExpiry()
  /** Why the files of a listener cannot be taken in, as it was told. */
  readonly #failures = new Map<string, string>()

  /** Throws a ConfigError. */
  constructor(specs: readonly ListenerSpec[], settings: Readonly<Record<string, string>>, ports: SecurityPorts) {
    checkListenerNames(settings, specs)
    this.#specs = specs
    this.#settings = settings
    this.#ports = ports
    this.#security = new Map(specs.map((spec) => [spec.name, listenerSecurity(spec, settings, ports)]))
  }

  security(listener: string): ListenerSecurity {
    return this.#security.get(listener) ?? IN_THE_CLEAR
  }

  /** Takes in what the files say now, of each listener for itself. */
  reload(): Reload {
    const renewed: string[] = []
    const failed: { listener: string; reason: string }[] = []
    for (const spec of this.#specs) {
      const before = this.security(spec.name)
      if (before.tls === undefined) continue
      try {
        const { tls, validity } = listenerSecurity(spec, this.#settings, this.#ports)
        this.#failures.delete(spec.name)
        if (JSON.stringify(tls) === JSON.stringify(before.tls)) continue
        this.#security.set(spec.name, { ...before, tls, validity })
        renewed.push(spec.name)
      } catch (cause) {
        const reason = reasonOf(cause)
        if (this.#failures.get(spec.name) === reason) continue
        this.#failures.set(spec.name, reason)
        failed.push({ listener: spec.name, reason })
      }
    }
    return { renewed, failed }
  }

  /** When the certificates that are shown now end; wall-clock times. */
  expiries(): { listener: string; notAfterMs: number }[] {
    return [...this.#security].flatMap(([listener, { validity }]) =>
      validity ? [{ listener, notAfterMs: validity.notAfterMs }] : [],
    )
  }

  /** What is to be said now of certificates that are out of their time, or soon will be. */
  expiryWarnings(now: number): { listener: string; warning: string }[] {
    return [...this.#security].flatMap(([listener, { validity }]) => {
      const warning = validity && this.#expiry.warning(listener, validity, now)
      return warning === undefined ? [] : [{ listener, warning }]
    })
  }

  /**
   * A line for each listener that others than this machine reach, and where anybody is let in or can listen. Whom nobody knows
   * rules can still hold off (`hasRules`).
   */
  warnings(bound: readonly ListenerSpec[], hasRules: boolean): string[] {
    return bound.flatMap(({ name, address, protocol }) => {
      if (isLoopback(address.host)) return []
      const where = `listener ${name} on ${formatAddress(address)}`
      if (protocol === "PLAINTEXT")
        return [`${where} lets in whoever reaches it, unencrypted: see listener.security.protocol.map for TLS and SASL`]
      if (protocol === "SASL_PLAINTEXT") return [`${where} sends data, and passwords of PLAIN, unencrypted`]
      const asksNobody = protocol === "SSL" && this.security(name).tls?.clientAuth !== "required"
      if (!asksNobody || hasRules) return []
      return [
        `${where} lets in whoever reaches it, who may do everything: see ssl.client.auth, SASL_SSL and authorizer.class.name`,
      ]
    })
  }
}
