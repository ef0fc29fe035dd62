/**
 * The routes of /connector-plugins: what can be run, with which settings, and whether given settings are right.
 */
import type { HttpRoute } from "@millrace/host/node/http"
import { keyInfos } from "../config/config-infos.ts"
import { tablesOf } from "../config/resolve.ts"
import type { Standalone } from "../runtime/standalone.ts"
import { flag, objectBody, settingsOf } from "./body.ts"
import { badRequest, notFound } from "../runtime/refused.ts"

export function pluginRoutes(worker: Standalone): HttpRoute[] {
  const { plugins } = worker
  return [
    {
      method: "GET",
      path: "/connector-plugins",
      handle: (request) => ({
        status: 200,
        body: plugins
          .list(flag(request, "connectorsOnly", true))
          .map((one) => ({ class: one.className, type: one.type, version: one.version })),
      }),
    },
    {
      method: "GET",
      path: "/connector-plugins/:plugin/config",
      handle(request) {
        const name = request.params["plugin"]!
        const connector = plugins.findConnector(name)
        const plugin = plugins.find(name)
        if (!plugin) throw notFound(`there is no plugin ${name}`)
        const tables = connector ? tablesOf(connector) : [{ group: plugin.className, table: plugin.config }]
        return { status: 200, body: tables.flatMap(({ group, table }) => keyInfos(group, table)) }
      },
    },
    {
      method: "PUT",
      path: "/connector-plugins/:plugin/config/validate",
      handle(request) {
        const name = request.params["plugin"]!
        const settings = settingsOf(objectBody(request), "the body")
        const className = settings["connector.class"]
        const named = plugins.findConnector(name)
        if (!named) throw notFound(`there is no connector plugin ${name}`)
        if (className !== undefined && plugins.findConnector(className) !== named) {
          throw badRequest(`connector.class is ${className}, the path says ${name}`)
        }
        return { status: 200, body: worker.validate({ "connector.class": named.className, ...settings }) }
      },
    },
  ]
}
