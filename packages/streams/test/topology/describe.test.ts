/**
 * Topologies as text, mermaid and JSON.
 */
import { int64, json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Orders = S.topic("orders", { key: string, value: json<{ country: string }>() })
const Countries = S.topic("countries", { key: string, value: string })
const Counts = S.topic("counts", { key: string, value: int64 })

const topology = S.makeTopology(
  S.pipeline("shop", () =>
    S.stream(Orders).pipe(
      S.joinGlobalTable(
        S.globalTable(Countries),
        (order) => order.country,
        (order, country) => ({ ...order, country }),
      ),
      S.keyBy((order) => order.country),
      S.window(S.tumbling("1 minute", { grace: "10 seconds" })),
      S.count("per-country"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: key.key, value })),
      S.to(Counts),
    ),
  ).plan,
  "shop-app",
)

test("P8: text: Kafka Streams' own, then what it leaves out", () => {
  const [kafka, more] = S.describeTopology(topology, "text").split("\n\nTopics:\n")
  expect(kafka).toMatch(/^Topologies:\n {3}Sub-topology: 0\n {4}Source: source-0 \(topics: \[orders\]\)\n {6}--> join-/)
  expect(kafka).toMatch(/Processor: join-global-table-\d \(stores: \[countries\]\)/)
  expect(more).toBe(
    [
      "   orders: string -> json",
      "   shop-app-per-country-repartition: canonical-key -> packed",
      "   counts: string -> int64",
      "",
      "Stores:",
      "   per-country (sub-topology 1): window, canonical-key -> packed, kept 70000 ms, changelog shop-app-per-country-changelog",
      "   countries (global table, in every process): key-value, string -> string, changelog countries",
      "",
      "Repartition topics:",
      "   shop-app-per-country-repartition: sub-topology 0 -> 1, as many partitions as the topics it meets",
    ].join("\n"),
  )
})

test("P8: late records and dead letters are shown, in all three", () => {
  const Late = S.topic("late", { key: string, value: json<{ country: string }>() })
  const { plan } = S.pipeline(
    "shop",
    () =>
      S.stream(Orders).pipe(
        S.window(S.tumbling("1 minute", { lateTo: Late })),
        S.count("per-order"),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: key.key, value })),
        S.to(Counts),
      ),
    { onProductionFailure: { deadLetter: "dead" } },
  )
  const beside = S.makeTopology(plan, "shop-app")
  const text = S.describeTopology(beside, "text")
  expect(text).toMatch(/\n\nLate records:\n {3}late: of per-order\n\nDead letters:\n {3}dead: of to-\d$/)
  const { lateRecords, deadLetters } = JSON.parse(S.describeTopology(beside, "json"))
  expect(lateRecords).toEqual([{ topic: "late", operators: ["per-order"] }])
  expect(deadLetters).toEqual([{ topic: "dead", operators: [expect.stringMatching(/^to-/)] }])
  const drawn = S.describeTopology(beside, "mermaid")
  expect(drawn).toMatch(/n\d -\. late \.-> t\d\[\/"late"\/\]\n/)
  expect(drawn).toMatch(/n\d -\. dead letters \.-> t\d\[\/"dead"\/\]\n/)
})

test("P8: JSON has the same", () => {
  const described = JSON.parse(S.describeTopology(topology, "json"))
  expect(
    described.subtopologies.map(({ sources, stores }: any) => [sources, stores.map(({ name }: any) => name)]),
  ).toEqual([
    [["orders"], []],
    [["shop-app-per-country-repartition"], ["per-country"]],
  ])
  expect(described.globalTables).toEqual([
    { name: "countries", kind: "global-table", key: "string", value: "string", changelog: "countries" },
  ])
})

test("P8: mermaid: every id that an edge names is drawn", () => {
  const lines = S.describeTopology(topology, "mermaid").trimEnd().split("\n")
  expect(lines[0]).toBe("flowchart LR")
  const drawn = new Set(lines.flatMap((line) => [...line.matchAll(/\b([a-z]+[\d_]+)[[(]/g)].map(([, id]) => id)))
  const edges = lines.flatMap((line) => /(\w+)(?:\[.*\])? (?:-->|---|-\.->) (\w+)/.exec(line)?.slice(1, 3) ?? [])
  expect(edges.length).toBeGreaterThan(20)
  for (const id of edges) expect(drawn).toContain(id)
  expect(lines.join("\n")).toMatch(/\[\/"countries"\/\] --> store\d+_0/)
})
