/**
 * The layers of the repository, lowest first. A package imports only packages of lower layers; `npm run check` holds
 * every import and every package.json to this table.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ["packages/host", "packages/config", "packages/metrics"],
  ["packages/protocol"],
  ["packages/storage", "packages/schema"],
  ["packages/broker", "packages/client"],
  ["packages/streams", "packages/connect"],
  ["packages/connector-file", "packages/connector-sqlite", "packages/testing"],
  ["apps/schema-registry"],
  ["apps/millrace"],
  ["examples/flights", "examples/pipelines", "examples/word-count"],
]

/** May import anything, and nothing imports them: development only. */
export const OUTSIDE_LAYERS: readonly string[] = ["packages/simulation", "tools", "bench"]

/** Imports that a layer number would allow but the design does not. */
export const FORBIDDEN: readonly { readonly from: string; readonly to: string; readonly why: string }[] = [
  {
    from: "packages/streams",
    to: "@millrace/broker",
    why: "the Kafka protocol is the only seam between streams and broker",
  },
  {
    from: "packages/connect",
    to: "@millrace/broker",
    why: "the Kafka protocol is the only seam between connect and broker",
  },
  {
    from: "apps/schema-registry",
    to: "@millrace/broker",
    why: "the Kafka protocol is the only seam between registry and broker",
  },
]

/** Source folders that are pure cores: no platform, no Effect, no RxJS. */
export const CORES: readonly string[] = [
  "packages/protocol/src/schema",
  "packages/protocol/src/messages",
  "packages/protocol/src/records",
  "packages/storage/src",
  "packages/broker/src/group",
  "packages/broker/src/transaction",
  "packages/broker/src/controller",
  "packages/streams/src/operators",
  "packages/streams/src/topology",
]
