import { expect, test } from "vitest"
import { broker, parseSemantics, proofsIn, semanticsFindings, semanticsMarkdown, streams } from "../src/semantics.ts"

const tables = parseSemantics(
  [
    "What is above the first title is not read.",
    "## Joins",
    "J5 same  Both rows.",
    "J6 differs  The left row. | Sooner.",
    "J7 same*  Either row.",
    "",
    "## Stores",
    "S3 unserved  Headers. | None are kept.",
  ].join("\n"),
  streams,
)
const named = (...names: string[]) =>
  proofsIn(
    new Map([["packages/streams/test/a.test.ts", names.map((name) => `test("${name}", () => {})`).join("\n")]]),
    streams,
  )

test("rows that claim something need a test; those that are coming or not served do not", () => {
  expect(semanticsFindings(tables, named("J6: left"))).toEqual([
    'row J5 says "same", and no test has a name that begins with J5',
  ])
  expect(semanticsFindings(tables, named("J5 J6: %s"))).toEqual([])
})

test("a test of a row that does not exist, or is not served, is found", () => {
  expect(semanticsFindings(tables, named("J5 J6: both", "J15 J6: typed wrongly", "S3: headers"))).toEqual([
    "packages/streams/test/a.test.ts: there is no row J15",
    "row S3 is not served, and has tests",
  ])
})

test("ids within a name, and other words before a colon, are no proof", () => {
  expect([...named("processing: J5: x", "see J6: y", "J5, J6: z", "KIP-834: w").keys()]).toEqual([])
})

test("a row that is coming has its verdict once a test names it", () => {
  expect(semanticsMarkdown(tables, named("J5 J6: x"), streams)).toContain("| J7 | Either row. | coming |  |")
  const page = semanticsMarkdown(tables, named("J5 J6 J7: x"), streams)
  expect(page).toContain("| J7 | Either row. | same | [a](../../packages/streams/test/a.test.ts) |")
  expect(page).toContain("| S3 | Headers. | not served: None are kept. |  |")
})

test.each([
  ["no row", "J5 sometimes  Both rows.", /line 2 .* is no row/],
  ["an id twice", "J5 same  Both.\nJ5 same  Both.", /line 3 .*J5 is there already/],
  ["a difference that is not told", "J5 differs  Both.", /line 2 .*J5 says "differs" and not how/],
])("%s is refused", (_, line, message) => {
  expect(() => parseSemantics(`## Joins\n${line}`, streams)).toThrow(message)
})

test("rows of the broker are numbers, several with commas between; suites beside Kafka are shown and prove nothing", () => {
  const rows = parseSemantics("## Fetch\n50 same  Whole batches.\nV1 same  Produce from 0.\n51 same  Limits.", broker)
  const proofs = proofsIn(
    new Map([
      ["packages/broker/test/a.test.ts", 'test("50, V1: x", () => {})\ntest("KIP-51: y", () => {})'],
      ["packages/broker/e2e/b.e2e.ts", 'compare("51: z", scene)'],
    ]),
    broker,
  )
  expect(semanticsFindings(rows, proofs)).toEqual(['row 51 says "same", and no test has a name that begins with 51'])
  expect(semanticsMarkdown(rows, proofs, broker)).toContain(
    "| 51 | Limits. | same | [b.e2e](../../packages/broker/e2e/b.e2e.ts) |",
  )
})
