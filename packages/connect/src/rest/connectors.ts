/**
 * The routes of /connectors: create, look at, configure, pause, stop, restart, delete (Kafka Connect's REST API, KIP-477,
 * KIP-745, KIP-875, KIP-980).
 */
import type { HttpAnswer, HttpRequest, HttpRoute } from "@millrace/host/node/http"
import type { Standalone } from "../runtime/standalone.ts"
import type { TargetState } from "../runtime/herder.ts"
import { changesOf, flag, initialState, objectBody, settingsOf } from "./body.ts"
import { badRequest } from "../runtime/refused.ts"

const accepted: HttpAnswer = { status: 202 }
const done: HttpAnswer = { status: 204 }
const ok = (body: unknown): HttpAnswer => ({ status: 200, body })

export function connectorRoutes(worker: Standalone): HttpRoute[] {
  const nameOf = (request: HttpRequest) => request.params["name"]!
  const target = (state: TargetState, answer: HttpAnswer) => async (request: HttpRequest) => {
    await worker.setTarget(nameOf(request), state)
    return answer
  }
  return [
    { method: "GET", path: "/connectors", handle: (request) => ok(list(worker, request)) },
    { method: "POST", path: "/connectors", handle: (request) => create(worker, request) },
    { method: "GET", path: "/connectors/:name", handle: (request) => ok(worker.info(nameOf(request))) },
    {
      method: "DELETE",
      path: "/connectors/:name",
      async handle(request) {
        await worker.remove(nameOf(request))
        return done
      },
    },
    { method: "GET", path: "/connectors/:name/config", handle: (request) => ok(worker.config(nameOf(request))) },
    { method: "PUT", path: "/connectors/:name/config", handle: (request) => putConfig(worker, request) },
    {
      method: "PATCH",
      path: "/connectors/:name/config",
      async handle(request) {
        return ok(await worker.patchConfig(nameOf(request), changesOf(objectBody(request))))
      },
    },
    { method: "GET", path: "/connectors/:name/status", handle: (request) => ok(worker.status(nameOf(request))) },
    { method: "GET", path: "/connectors/:name/topics", handle: (request) => ok(worker.topicsOf(nameOf(request))) },
    {
      method: "PUT",
      path: "/connectors/:name/topics/reset",
      handle(request) {
        worker.resetTopicsOf(nameOf(request))
        return accepted
      },
    },
    { method: "POST", path: "/connectors/:name/restart", handle: (request) => restart(worker, request) },
    { method: "PUT", path: "/connectors/:name/pause", handle: target("PAUSED", accepted) },
    { method: "PUT", path: "/connectors/:name/resume", handle: target("STARTED", accepted) },
    { method: "PUT", path: "/connectors/:name/stop", handle: target("STOPPED", done) },
    { method: "GET", path: "/connectors/:name/tasks", handle: (request) => ok(worker.tasks(nameOf(request))) },
    {
      method: "GET",
      path: "/connectors/:name/tasks/:task/status",
      handle: (request) => ok(worker.taskStatus(nameOf(request), taskOf(request))),
    },
    {
      method: "POST",
      path: "/connectors/:name/tasks/:task/restart",
      handle(request) {
        worker.restartTask(nameOf(request), taskOf(request))
        return done
      },
    },
  ]
}

function taskOf(request: HttpRequest): number {
  const text = request.params["task"]!
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`${text} is not the number of a task`)
  return Number(text)
}

function list(worker: Standalone, request: HttpRequest): unknown {
  const expand = request.query.getAll("expand").flatMap((text) => text.split(","))
  const names = worker.names()
  const withStatus = expand.includes("status")
  const withInfo = expand.includes("info")
  if (!withStatus && !withInfo) return names
  return Object.fromEntries(
    names.map((name) => [
      name,
      { ...(withStatus && { status: worker.status(name) }), ...(withInfo && { info: worker.info(name) }) },
    ]),
  )
}

async function create(worker: Standalone, request: HttpRequest): Promise<HttpAnswer> {
  const body = objectBody(request)
  const settings = settingsOf(body["config"] ?? {}, "config")
  const name = body["name"] ?? settings["name"]
  if (typeof name !== "string" || name.trim() === "") throw badRequest("a connector needs a name")
  const info = await worker.create(name, settings, initialState(body["initial_state"]))
  return { status: 201, body: info, headers: { Location: `/connectors/${encodeURIComponent(name)}` } }
}

async function putConfig(worker: Standalone, request: HttpRequest): Promise<HttpAnswer> {
  const { created, info } = await worker.putConfig(request.params["name"]!, settingsOf(objectBody(request), "the body"))
  return { status: created ? 201 : 200, body: info }
}

/** Without parameters it answers nothing; with either it answers the status as it is while restarting. */
function restart(worker: Standalone, request: HttpRequest): HttpAnswer {
  const name = request.params["name"]!
  const includeTasks = flag(request, "includeTasks", false)
  const onlyFailed = flag(request, "onlyFailed", false)
  const status = worker.restart(name, { includeTasks, onlyFailed })
  return includeTasks || onlyFailed ? { status: 202, body: status } : done
}
