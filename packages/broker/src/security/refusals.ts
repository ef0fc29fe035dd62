/**
 * Whom the broker did not let in, and what it did not let them do: counted, and told to whoever runs it, repeats once a minute.
 * Users' names are what clients claim, and are shown so that none can pass for a line of the log.
 */
import { type Address, type Clock, formatAddress } from "@millrace/host"
import type { BrokerCounters } from "../metrics/counters.ts"
import { RepeatedEvents } from "../repeated-events.ts"
import type { ServerLog } from "../server-log.ts"
import type { Permission } from "./authorizer.ts"

export interface FailedAuthentication {
  readonly listener: string
  readonly remote: Address
  readonly reason: string
  /** Whom the client said it is, where it did. */
  readonly user?: string | undefined
}

export interface Denial extends Permission {
  readonly principal: string
  readonly host: string
  readonly resourceName: string
}

const NAME_LENGTH_MAX = 100

export class Refusals {
  /** Apart: who is not let in crowds out no line about who is. */
  readonly #failures: RepeatedEvents
  readonly #denials: RepeatedEvents
  readonly #counters: BrokerCounters

  constructor(clock: Clock, log: ServerLog, counters: BrokerCounters) {
    this.#failures = new RepeatedEvents(clock, log)
    this.#denials = new RepeatedEvents(clock, log)
    this.#counters = counters
  }

  close(): void {
    this.#failures.close()
    this.#denials.close()
  }

  authenticationFailed({ listener, remote, reason, user }: FailedAuthentication): void {
    this.#counters.authenticationFailed(listener)
    const peer = formatAddress(remote)
    const said = user === undefined ? undefined : shown(user)
    const who = said === undefined ? "" : ` as ${said}`
    this.#failures.tell(
      JSON.stringify(["authentication", listener, remote.host, said, reason]),
      `connection of ${peer} on listener ${listener} is not let in${who}: ${reason}`,
      {
        ...{ level: "warn", event: "authentication-failed", listener, peer, reason },
        ...(said !== undefined && { user: said }),
      },
    )
  }

  denied({ principal, host, operation, resource, resourceName }: Denial): void {
    this.#counters.denied(operation, resource)
    const [who, what] = [shown(principal), shown(resourceName)]
    this.#denials.tell(
      JSON.stringify(["denial", who, operation, resource, what]),
      `denied to ${who} from ${host}: ${operation} of ${resource} ${what}`,
      { level: "info", event: "authorization-denied", principal: who, host, operation, resource, name: what },
    )
  }
}

/** As it is where that is plain; else as JSON, which has no line ends. */
function shown(name: string): string {
  const short = name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name
  return /^[\p{L}\p{N}\p{P}\p{S}]+(?: [\p{L}\p{N}\p{P}\p{S}]+)*$/u.test(short) ? short : JSON.stringify(short)
}
