/**
 * The security of all listeners, as the settings and the files they name say now: certificates that are replaced while the
 * broker runs are noticed (`reloaded`), what cannot be read then leaves the old ones in use.
 */
import { formatAddress } from "@millrace/host"
import type { ListenerSpec } from "../network/listeners.ts"
import {
  checkListenerNames,
  IN_THE_CLEAR,
  type ListenerSecurity,
  listenerSecurity,
  type SecurityPorts,
} from "./listener-security.ts"

const LOOPBACK = /^(?:127\.|::1$|localhost$|\[::1\]$)/

export class Listeners {
  readonly #specs: readonly ListenerSpec[]
  readonly #settings: Readonly<Record<string, string>>
  readonly #ports: SecurityPorts
  readonly #security: Map<string, ListenerSecurity>

  /** Throws a ConfigError, or a DiskError for a file that cannot be read. */
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

  /** Takes in what the files say now; answers the listeners whose certificates are others. */
  reloaded(): string[] {
    return this.#specs.flatMap((spec) => {
      const before = this.security(spec.name)
      if (before.tls === undefined) return []
      const { tls } = listenerSecurity(spec, this.#settings, this.#ports)
      if (JSON.stringify(tls) === JSON.stringify(before.tls)) return []
      this.#security.set(spec.name, { ...before, tls })
      return [spec.name]
    })
  }

  /** A line for each listener that others than this machine reach, and where anybody is let in or can listen. */
  warnings(bound: readonly ListenerSpec[]): string[] {
    return bound.flatMap(({ name, address, protocol }) => {
      if (LOOPBACK.test(address.host)) return []
      const where = `WARNING: listener ${name} on ${formatAddress(address)}`
      if (protocol === "PLAINTEXT")
        return [`${where} lets in whoever reaches it, unencrypted: see listener.security.protocol.map for TLS and SASL`]
      return protocol === "SASL_PLAINTEXT" ? [`${where} sends data, and passwords of PLAIN, unencrypted`] : []
    })
  }
}
