/**
 * What the registry says of itself, and its contexts.
 */
import { answer } from "../core/decision.ts"
import type { Route } from "./route.ts"

export interface Identity {
  readonly version: string
  readonly clusterId: string
  /** `schema.registry.group.id`: registries of one group are one. */
  readonly groupId: string
}

export const metadataRoutes = (identity: () => Identity): readonly Route[] => [
  { method: "GET", path: "/", summary: "Nothing: it is up", query: [], writes: false, decide: () => answer({}) },
  { method: "POST", path: "/", summary: "Nothing: it is up", query: [], writes: false, decide: () => answer({}) },
  {
    method: "GET",
    path: "/contexts",
    summary: "All contexts",
    query: ["contextPrefix"],
    writes: false,
    decide: ({ state }, request) =>
      answer(state.contexts().filter((context) => context.startsWith(request.query.get("contextPrefix") ?? ""))),
  },
  {
    method: "GET",
    path: "/v1/metadata/id",
    summary: "Which Kafka cluster and which registry this is",
    query: [],
    writes: false,
    decide() {
      const { clusterId, groupId } = identity()
      return answer({
        id: "",
        scope: { path: [], clusters: { "kafka-cluster": clusterId, "schema-registry-cluster": groupId } },
      })
    },
  },
  {
    method: "GET",
    path: "/v1/metadata/version",
    summary: "Which version this is",
    query: [],
    writes: false,
    decide: () => answer({ version: identity().version, commitId: "" }),
  },
]
