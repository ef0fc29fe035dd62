/** Whose quotas a request counts against: the name of its principal, and its client id. */
import type { RequestContext } from "../network/context.ts"
import type { QuotaClient } from "../quota/broker-quotas.ts"

export function quotaClient({ principal, clientId }: RequestContext): QuotaClient {
  return { user: principal.slice(principal.indexOf(":") + 1), clientId: clientId ?? "" }
}
