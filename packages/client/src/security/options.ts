/** How a client proves who it is and knows whom it talks to. */
import type { ClientTls } from "@millrace/host"
import type { SaslOptions } from "./sasl.ts"

export interface ClientSecurity {
  /** Absent: connections in the clear. */
  readonly tls?: ClientTls
  /** Absent: nobody in particular, or who the TLS certificate says. */
  readonly sasl?: SaslOptions
}
