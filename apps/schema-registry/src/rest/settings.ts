/**
 * /config and /mode: of the registry, of a context (`:.ctx:`), of a subject.
 */
import { deleteConfig, deleteMode, getConfig, getMode, putConfig, putMode, type Scope } from "../core/configuration.ts"
import { canonicalSubject } from "../core/subject.ts"
import { flag, type Route, type RouteRequest } from "./route.ts"

const scopeIn = (request: RouteRequest): Scope =>
  request.params.subject === undefined ? null : canonicalSubject(request.params.subject)

/** The same route for the registry and for a subject. */
const both = (path: string, make: (path: string, of: string) => Route): Route[] => [
  make(path, "the registry"),
  make(`${path}/:subject`, "a subject"),
]

export const settingRoutes: readonly Route[] = [
  ...both("/config", (path, of) => ({
    method: "GET",
    path,
    summary: `The compatibility level of ${of}`,
    query: ["defaultToGlobal"],
    writes: false,
    decide: (registry, request) => getConfig(registry, scopeIn(request), flag(request, "defaultToGlobal")),
  })),
  ...both("/config", (path, of) => ({
    method: "PUT",
    path,
    summary: `Set the compatibility level of ${of}`,
    query: [],
    writes: true,
    decide: (registry, request) => putConfig(registry, scopeIn(request), request.body),
  })),
  ...both("/config", (path, of) => ({
    method: "DELETE",
    path,
    summary: `Unset the compatibility level of ${of}`,
    query: [],
    writes: true,
    decide: (registry, request) => deleteConfig(registry, scopeIn(request)),
  })),
  ...both("/mode", (path, of) => ({
    method: "GET",
    path,
    summary: `The mode of ${of}`,
    query: ["defaultToGlobal"],
    writes: false,
    decide: (registry, request) => getMode(registry, scopeIn(request), flag(request, "defaultToGlobal")),
  })),
  ...both("/mode", (path, of) => ({
    method: "PUT",
    path,
    summary: `Set the mode of ${of}`,
    query: ["force"],
    writes: true,
    decide: (registry, request) => putMode(registry, scopeIn(request), request.body, flag(request, "force")),
  })),
  ...both("/mode", (path, of) => ({
    method: "DELETE",
    path,
    summary: `Unset the mode of ${of}`,
    query: ["recursive"],
    writes: true,
    decide: (registry, request) => deleteMode(registry, scopeIn(request), flag(request, "recursive")),
  })),
]
