/**
 * The queries of Nexmark put out what is computed straight from the generator, however transactions are cut.
 */
import { TestDriver } from "@millrace/testing"
import { bytes, json, none } from "@millrace/schema"
import * as S from "@millrace/streams"
import { expect, test } from "vitest"
import { ANSWERS, Input } from "../src/nexmark/answers.ts"
import type { Event } from "../src/nexmark/events.ts"
import { generator, partitionOf } from "../src/nexmark/generator.ts"
import { QUERIES, type QueryName } from "../src/nexmark/queries/index.ts"
import { pipelineOf } from "../src/nexmark/run.ts"
import { keyText } from "../src/nexmark/topics.ts"

const input = S.topic("nexmark", { key: none, value: json<Event>() })
const output = S.topic("out", { key: bytes, value: json() })

const PARTITIONS = 4
/** With windows so many, and so far apart, that the first of 10 seconds close behind two repartition topics. */
const WINDOWED = new Set<QueryName>(["q5", "q7", "q8", "q11"])
const eventsOf = (query: QueryName) => (WINDOWED.has(query) ? 30_000 : 10_000)
const { eventAt, timeOf } = generator(1_000)
const PER_TRANSACTION = 7_001

const names = Object.keys(QUERIES) as QueryName[]

test.each(names)("%s", async (query) => {
  const pipeline = pipelineOf({ query, application: query, input: input.name, output: output.name })
  const driver = await TestDriver.start(pipeline, { partitions: { [input.name]: PARTITIONS, [output.name]: 1 } })
  for (let at = 0; at < eventsOf(query); at++) {
    const timestamp = timeOf(at)
    driver.send(input, { key: null, value: eventAt(at), timestamp, partition: partitionOf(at, PARTITIONS) })
    if (at % PER_TRANSACTION !== 0) continue
    driver.process()
    await driver.commit()
  }
  await driver.run()
  const check = ANSWERS[query]()
  for (const { key, value } of driver.read(output)) check.row(keyText(key), value)
  expect(check.problem(new Input({ eventAt, timeOf }, eventsOf(query)))).toBeUndefined()
})

test.each(names)("%s: rows that are missing, or wrong, are told", (query) => {
  const input = new Input({ eventAt, timeOf }, eventsOf(query))
  const check = ANSWERS[query]()
  expect(check.problem(input)).toBeTypeOf("string")
  check.row("none", Object.assign([], { bidder: 0, bid_count: 1, auctions: [] }))
  expect(check.problem(input)).toBeTypeOf("string")
})
