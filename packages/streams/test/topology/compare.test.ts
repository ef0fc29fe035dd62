/**
 * What a changed pipeline may keep of its state: a table of changes and what is said of them.
 */
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { compareTopologies } from "../../src/topology/compare.ts"
import { describeJson } from "../../src/topology/describe.ts"

const In = S.topic("in", { key: string, value: string })
const Other = S.topic("other", { key: string, value: string })
const Out = S.topic("out", { key: string, value: json<number>() })

const words = (s: S.Stream<string, string>) => s.pipe(S.keyBy((word) => word))
const described = (build: () => S.Sink<any> | readonly S.Sink<any>[], applicationId = "app") =>
  describeJson(S.makeTopology(S.pipeline("p", build as () => S.Sink<never>).plan, applicationId))

const counted = (name: string, from = In) => words(S.stream(from)).pipe(S.count(name), S.toStream(), S.to(Out))
const before = described(() => counted("words"))

test.each<readonly [string, ReturnType<typeof describeJson>, readonly RegExp[]]>([
  ["nothing", described(() => counted("words")), []],
  [
    "an operator without state, and functions",
    described(() =>
      S.stream(In).pipe(
        S.filter((word) => word !== ""),
        S.keyBy((word) => word.toLowerCase()),
        S.count("words"),
        S.toStream(),
        S.map((count) => count * 2),
        S.to(Out),
      ),
    ),
    [],
  ],
  [
    "a store's name",
    described(() => counted("terms")),
    [
      /store "words" is gone/,
      /store "terms" is new/,
      /repartition topic app-words-repartition is gone/,
      /sub-topology 1 read app-words-repartition and reads app-terms-repartition/,
    ],
  ],
  [
    "a store's serde",
    described(() =>
      words(S.stream(In)).pipe(
        S.aggregate("words", { init: () => 0, add: (sum: number) => sum + 1, value: json<number>() }),
        S.toStream(),
        S.to(Out),
      ),
    ),
    [/^store "words": the serde of its values was packed and is json$/],
  ],
  [
    "a window",
    described(() =>
      words(S.stream(In)).pipe(
        S.window(S.tumbling(10, { grace: 5 })),
        S.count("words"),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: key.key, value })),
        S.to(Out),
      ),
    ),
    [/its kind was key-value and is window/, /retention in ms was undefined and is 15/],
  ],
  ["a topic that is read", described(() => counted("words", Other)), [/sub-topology 0 read in and reads other/]],
  [
    "a sub-topology more",
    described(() => [
      counted("words"),
      S.stream(Other).pipe(
        S.map(() => 1),
        S.to(Out),
      ),
    ]),
    [/there were 2 sub-topologies and there are 3/],
  ],
  [
    "the application",
    described(() => counted("words"), "app2"),
    [
      /the application was app and is app2/,
      /changelog/,
      /repartition topic app-words-repartition is gone/,
      /sub-topology 1/,
    ],
  ],
])("a change of %s", (_, after, expected) => {
  const found = compareTopologies(before, after)
  expect(found).toHaveLength(expected.length)
  for (const [index, line] of found.entries()) expect(line).toMatch(expected[index]!)
})

test("P7: a global table in the place of a global store of that name and topic is another store, and the other way round", () => {
  const joined = (rows: S.GlobalTable<string, string>) =>
    described(() =>
      S.stream(Other).pipe(
        S.joinGlobalTable(
          rows,
          (word) => word,
          () => 1,
        ),
        S.to(Out),
      ),
    )
  const table = joined(S.globalTable(In, { store: "words" }))
  const store = joined(S.globalStore("words", In, { key: string, value: string }, () => {}))
  expect(compareTopologies(table, table)).toEqual([])
  expect(compareTopologies(table, store)).toEqual(['store "words": its kind was global-table and is global-store'])
  expect(compareTopologies(store, table)).toEqual(['store "words": its kind was global-store and is global-table'])
})
