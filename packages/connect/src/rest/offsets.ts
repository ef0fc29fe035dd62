/**
 * The routes of /connectors/NAME/offsets (KIP-875).
 */
import type { HttpRoute } from "@millrace/host/node/http"
import { isPlainObject } from "../data/schema.ts"
import type { ConnectorOffset } from "../runtime/connector-offsets.ts"
import type { Standalone } from "../runtime/standalone.ts"
import { objectBody } from "./body.ts"
import { badRequest } from "../runtime/refused.ts"

const PATH = "/connectors/:name/offsets"

export function offsetRoutes(worker: Standalone): HttpRoute[] {
  return [
    {
      method: "GET",
      path: PATH,
      async handle(request) {
        return { status: 200, body: { offsets: await worker.offsets(request.params["name"]!) } }
      },
    },
    {
      method: "PATCH",
      path: PATH,
      async handle(request) {
        const name = request.params["name"]!
        await worker.alterOffsets(name, offsetsOf(objectBody(request)))
        return { status: 200, body: { message: `the offsets of ${name} are altered` } }
      },
    },
    {
      method: "DELETE",
      path: PATH,
      async handle(request) {
        const name = request.params["name"]!
        await worker.resetOffsets(name)
        return { status: 200, body: { message: `the offsets of ${name} are reset` } }
      },
    },
  ]
}

function offsetsOf(body: Record<string, unknown>): ConnectorOffset[] {
  const { offsets } = body
  if (!Array.isArray(offsets) || offsets.length === 0) throw badRequest("offsets should be a list of at least one")
  return offsets.map((one: unknown) => {
    const { partition, offset } = isPlainObject(one) ? one : {}
    if (!isPlainObject(partition)) throw badRequest("each of offsets needs a partition, an object")
    if (offset !== null && !isPlainObject(offset))
      throw badRequest("each of offsets needs an offset, an object or null")
    return { partition, offset } as ConnectorOffset
  })
}
