/** Who asks, in the form in which groups record their members. */
import type { GroupRequestContext } from "../group/coordinator.ts"
import type { RequestContext } from "../network/context.ts"

export function groupContext({ apiVersion, clientId, connection }: RequestContext): GroupRequestContext {
  // Kafka prints addresses as Java does, with a slash before them.
  return { apiVersion, clientId: clientId ?? "", clientHost: `/${connection.remote.host}` }
}
