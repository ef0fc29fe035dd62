/** Settings of listeners, connections and requests. */
import { boolean, define, int, list, long, string } from "@millrace/config"

/** Of all listeners together, and again of one alone where it is set as `listener.name.NAME.KEY` (KIP-402, KIP-612). */
export const connectionLimitsConfig = define({
  "max.connections": int({
    default: 2_147_483_647,
    min: 0,
    dynamic: "cluster-wide",
    doc: "Open connections at most. Those above wait until others end, up to 50 of a listener; further ones are closed.",
  }),
  "max.connection.creation.rate": int({
    default: 2_147_483_647,
    min: 1,
    dynamic: "cluster-wide",
    doc: "New connections per second at most. Those above wait their turn.",
  }),
})

export const networkConfig = define({
  listeners: list({
    default: null,
    importance: "HIGH",
    doc: "Where to listen, as NAME://HOST:PORT. Left out: one PLAINTEXT listener on the address given at the start.",
    example: "PLAINTEXT://127.0.0.1:9092",
  }),
  "advertised.listeners": list({
    default: null,
    importance: "HIGH",
    dynamic: "per-broker",
    doc: "The addresses told to clients, as NAME://HOST:PORT. Left out: the addresses really bound.",
  }),
  "socket.request.max.bytes": int({
    default: 104_857_600,
    min: 1,
    importance: "HIGH",
    doc: "Largest request. A connection that announces a larger one is closed.",
  }),
  "connections.max.idle.ms": long({
    default: 600_000,
    doc: "A connection without requests for this long is closed. Negative: never.",
  }),
  ...connectionLimitsConfig,
  "max.connections.per.ip": int({
    default: 2_147_483_647,
    min: 0,
    dynamic: "cluster-wide",
    doc: "Open connections of one address at most.",
  }),
  "max.connections.per.ip.overrides": string({
    default: "",
    dynamic: "cluster-wide",
    check: (text) =>
      ipOverrides(text) === undefined ? "is no list of ADDRESS:NUMBER, separated by commas" : undefined,
    doc: "Other numbers for some addresses, as ADDRESS:NUMBER, separated by commas.",
    example: "10.0.0.7:100,::1:200",
  }),
  "queued.max.request.bytes": long({
    default: 67_108_864,
    doc: "Unanswered request bytes of one connection above which it is not read any further.",
  }),
  "queued.max.requests": int({
    default: 500,
    min: 1,
    importance: "HIGH",
    doc: "Unanswered requests of one connection above which it is not read any further.",
  }),
  "queued.max.response.bytes": long({
    default: 67_108_864,
    doc: "Answer bytes a client has not taken above which its requests are not read any further.",
  }),
  "request.timeout.ms": int({ default: 30_000, importance: "HIGH", doc: "Longest wait for a requested operation." }),
  "fetch.max.bytes": int({ default: 57_671_680, min: 1024, doc: "Largest answer to one fetch." }),
  "max.incremental.fetch.session.cache.slots": int({
    default: 1000,
    min: 0,
    doc: "Fetch sessions kept at most. Clients without one send whole requests.",
  }),
  "max.request.partition.size.limit": int({
    default: 2000,
    min: 1,
    doc: "Partitions in one page of a topic description.",
  }),
  "shutdown.drain.timeout.ms": int({
    default: 5000,
    min: 0,
    doc: "How long closing waits for requests in progress to be answered, and again for logs to be flushed together.",
  }),
  "auto.create.topics.enable": boolean({
    default: true,
    importance: "HIGH",
    doc: "Create a topic when a client that allows it first asks about it.",
  }),
  "broker.rack": string({ default: null, doc: "The rack this broker stands in." }),
  "quota.window.num": int({ default: 11, min: 1, importance: "LOW", doc: "Samples kept for client quotas." }),
  "quota.window.size.seconds": int({ default: 1, min: 1, importance: "LOW", doc: "Span of one quota sample." }),
  "controller.quota.window.num": int({
    default: 11,
    min: 1,
    importance: "LOW",
    doc: "Samples of controller_mutation_rate: what may be spent at once is the rate times all their spans.",
  }),
  "controller.quota.window.size.seconds": int({
    default: 1,
    min: 1,
    importance: "LOW",
    doc: "Span of one sample of controller_mutation_rate.",
  }),
})

/** Of `max.connections.per.ip.overrides`, by address; undefined when it cannot be read. */
export function ipOverrides(text: string): ReadonlyMap<string, number> | undefined {
  const overrides = new Map<string, number>()
  for (const entry of text.split(",").map((part) => part.trim())) {
    if (entry === "") continue
    // An IPv6 address has colons too: the last one counts.
    const match = /^(.+):(\d+)$/.exec(entry)
    if (match === null) return undefined
    overrides.set(match[1]!, Number(match[2]))
  }
  return overrides
}
