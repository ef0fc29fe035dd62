import { int32, json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { describeTopology } from "../../src/topology/describe.ts"
import { resolvePartitions, taskCount } from "../../src/topology/partitions.ts"
import { makeTopology } from "../../src/topology/topology.ts"

const In = S.topic("in", { key: string, value: json<{ to: string }>() })
const Rows = S.topic("rows", { key: string, value: json<{ name: string }>() })
const Out = S.topic("out", { key: string, value: json<any>() })

const build = () =>
  S.stream(In).pipe(
    S.keyBy((value) => value.to),
    S.joinTable("named", S.table(Rows), (value, row) => ({ ...value, ...row })),
    S.count("counts"),
    S.toStream(),
    S.to(Out),
  )

test("a plan is plain data and the same each time it is built", () => {
  const first = S.pipeline("p", build).plan.plan
  expect(JSON.parse(JSON.stringify(first))).toEqual(first)
  expect(S.pipeline("p", build).plan.plan).toEqual(first)
})

test("D12 R1: sub-topologies are split at repartition topics and joined by stores", () => {
  const topology = makeTopology(S.pipeline("p", build).plan, "app")
  expect(topology.subtopologies.map((one) => one.sources.map(({ topic }) => topic))).toEqual([
    ["in"],
    ["rows", "app-named-repartition"],
  ])
  expect(topology.subtopologies[1]!.stores.map((store) => store.changelog)).toEqual([
    "app-rows-changelog",
    "app-counts-changelog",
  ])
  expect(topology.subtopologies[1]!.copartitioned).toEqual([
    ["app-named-repartition", "rows"],
    ["app-named-repartition", "rows"],
  ])
})

test("J13 R1: a repartition topic has the partitions of the table it meets, else those of its upstream tasks", () => {
  const joined = makeTopology(S.pipeline("p", build).plan, "app")
  const counts = resolvePartitions(
    joined,
    new Map([
      ["in", 2],
      ["rows", 5],
    ]),
  )
  expect(counts.get("app-named-repartition")).toBe(5)
  expect(taskCount(joined, 1, counts)).toBe(5)
  const alone = S.pipeline("p", () =>
    S.stream(In).pipe(
      S.keyBy((value) => value.to),
      S.count("n"),
      S.toStream(),
      S.to(Out),
    ),
  )
  expect(resolvePartitions(makeTopology(alone.plan, "app"), new Map([["in", 3]])).get("app-n-repartition")).toBe(3)
})

test("ways that part and meet again are looked through once each", () => {
  const pipeline = S.pipeline("p", () => {
    const rows = S.table(Rows)
    let stream: S.Stream<string, { to: string }> = S.stream(In).pipe(
      S.mapAsync(async (value) => value, { concurrency: 1, timeout: 10 }),
    )
    for (let time = 0; time < 40; time++) {
      const { even, odd } = stream.pipe(S.branch({ even: ({ to }) => to.length % 2 === 0, odd: () => true }))
      stream = even.pipe(S.merge(odd))
    }
    return stream.pipe(
      S.joinTable("named", rows, (value) => value),
      S.to(Out),
    )
  })
  const topology = makeTopology(pipeline.plan, "app")
  expect(topology.subtopologies.map(({ levels, copartitioned }) => [levels, copartitioned[0]])).toEqual([
    [1, ["in", "rows"]],
  ])
})

test("D1: one topic read twice is one source, one topic tabled twice is one table", () => {
  const twice = S.pipeline("p", () => [
    S.stream(In).pipe(
      S.joinTable("one", S.table(Rows), (_, row) => row),
      S.to(Out),
    ),
    S.stream(In).pipe(
      S.joinTable("two", S.table(Rows), (_, row) => row),
      S.to(Out),
    ),
  ])
  expect(twice.plan.plan.nodes.map(({ kind }) => kind)).toEqual([
    "source",
    "source",
    "table",
    "join-table",
    "to",
    "join-table",
    "to",
  ])
})

test("S3: a topic tabled twice is one table where both keep headers, or neither does, however they say so", () => {
  const twice = (options: S.PipelineOptions, headers: boolean) =>
    S.pipeline(
      "p",
      () => [
        S.table(Rows).pipe(S.toStream(), S.to(Out)),
        S.table(Rows, { headers }).pipe(S.toStream(), S.to(Out)),
        S.table(Rows).pipe(S.toStream(), S.to(Out)),
      ],
      options,
    ).plan.plan.nodes.filter(({ kind }) => kind === "table").length
  expect([twice({ headers: true }, true), twice({}, false)]).toEqual([1, 1])
  expect(() => twice({}, true)).toThrow(/operator "rows": is read twice with different options/)
  expect(() => twice({ headers: true }, false)).toThrow(/operator "rows": is read twice with different options/)
})

test("D12: names do not depend on what else is in the pipeline", () => {
  const more = S.pipeline("p", () => [
    S.stream(Rows).pipe(
      S.filter(() => true),
      S.to(Out),
    ),
    build(),
  ])
  const topics = (pipeline: S.Pipeline) => {
    const { repartitions, subtopologies } = makeTopology(pipeline.plan, "app")
    return [
      ...repartitions.map(({ topic }) => topic),
      ...subtopologies.flatMap((one) => one.stores.map(({ changelog }) => changelog)),
    ].sort()
  }
  expect(topics(more)).toEqual(topics(S.pipeline("p", build)))
})

test.each<readonly [string, () => any, RegExp]>([
  [
    "a name twice",
    () => [S.stream(In).pipe(S.count("n")), S.stream(Rows).pipe(S.count("n"))],
    /operator "n".*exists already/,
  ],
  ["a store twice", () => [S.table(Rows), S.stream(In).pipe(S.count("rows"))], /store "rows" exists already/],
  [
    "two serdes for one topic",
    () => [
      S.stream(In).pipe(S.to(Out)),
      S.stream(S.topic("in", { key: int32, value: json() })).pipe(S.to(S.topic("x", { key: int32, value: json() }))),
    ],
    /two different serdes/,
  ],
  ["a bad name", () => S.stream(In).pipe(S.count("a b")), /operator name "a b"/],
  ["no sink", () => [], /return at least one sink/],
])("D12: refuses %s", (_, ends, message) => {
  expect(() => S.pipeline("p", ends)).toThrow(message)
})

test("P8: describe draws sources, processors with their stores, and sinks", () => {
  const topology = makeTopology(S.pipeline("p", build).plan, "app")
  const text = describeTopology(topology, "text")
  expect(text).toContain("Sub-topology: 1")
  expect(text).toContain("Processor: named (stores: [rows])")
  expect(text).toContain("Sink: named-repartition-sink (topic: app-named-repartition)")
  expect(describeTopology(topology, "mermaid")).toMatch(/^flowchart LR\n/)
  expect(JSON.parse(describeTopology(topology, "json")).subtopologies).toHaveLength(2)
})

test("D13: an operator that depends on a window's key is refused when the pipeline is defined", () => {
  const counts = () => S.stream(In).pipe(S.window(S.tumbling(10)), S.count("per-window"), S.toStream())
  const again = () => S.pipeline("p", () => counts().pipe(S.map(String), S.count("again")))
  expect(again).toThrow('pipeline "p", operator "again": its key is that of a window')
  const mapped = () =>
    S.pipeline("p", () =>
      counts().pipe(
        S.mapRecord(({ key, value }) => ({ key: key.key, value })),
        S.count("again"),
      ),
    )
  expect(mapped).not.toThrow()
})

test("the row before a change is asked for up to the operator that keeps it itself", () => {
  const named = (options: { store?: string }) =>
    S.pipeline("p", () =>
      S.table(Rows).pipe(
        S.mapTable((row) => row.name, options),
        S.filterTable((name) => name !== ""),
        S.toStream(),
        S.to(Out),
      ),
    )
  const asked = (options: { store?: string }) =>
    makeTopology(named(options).plan, "app").nodes.flatMap(({ kind, needsOld }) => (needsOld ? [kind] : []))
  expect(asked({})).toEqual(["table", "map-table"])
  expect(asked({ store: "names" })).toEqual(["map-table"])
})

test("J8 J13: tables that are joined by foreign key stay in sub-topologies of their own, each with a topic that meets it", () => {
  const { subtopologies, repartitions } = makeTopology(
    S.pipeline("p", () =>
      S.table(In).pipe(
        S.joinForeignKey(
          "j",
          S.table(Rows),
          (value) => value.to,
          (value, row) => [value, row],
        ),
      ),
    ).plan,
    "app",
  )
  expect(subtopologies.map(({ copartitioned }) => copartitioned)).toEqual([
    [["app-j-response-repartition", "in"]],
    [["app-j-subscription-repartition", "rows"]],
  ])
  expect(repartitions.map(({ topic, upstream, downstream }) => [topic, upstream, downstream])).toEqual([
    ["app-j-subscription-repartition", 0, 1],
    ["app-j-response-repartition", 1, 0],
  ])
})
