/** What threads answered to one query, read by a thread that may not know their schemas. */
import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import type { PartitionResult } from "../../src/query/query.ts"
import type { StoreInfo } from "../../src/query/stores.ts"
import { joinAnswers } from "../../src/threads/answers.ts"
import type { PackedResult } from "../../src/threads/rows.ts"
import { schemed } from "../query/schemed.ts"

/** Of a thread that has met no schema yet. */
const info = () => ({ kind: "key-value", serdes: { key: string, value: schemed(new Set()) } }) as unknown as StoreInfo

const bytes = (text: string) => string.encode(text)
const row = (key: string, value: string): PackedResult[number][1] => ({
  ok: true,
  result: { row: { key: bytes(key), window: undefined, value: bytes(value), rest: { timestamp: 1 } } },
  position: { in: { 0: 3 } },
})
const absent: PartitionResult<never> = { ok: false, reason: "NOT_PRESENT", message: "not in this process" }

test("Q7: a schema that cannot be fetched fails the partition that needs it, and no other", async () => {
  const answers: PackedResult[] = [
    [
      [0, row("a", "old")],
      [1, absent],
      [2, absent],
    ],
    [
      [0, absent],
      [1, row("b", "lost")],
      [2, row("c", "older")],
    ],
  ]
  const { partitions, position } = await joinAnswers(answers, info())
  expect(partitions.get(0)).toMatchObject({ ok: true, result: { key: "a", value: "old", timestamp: 1 } })
  expect(partitions.get(1)).toMatchObject({
    ok: false,
    reason: "STORE_EXCEPTION",
    message: expect.stringContaining("schema"),
  })
  expect(partitions.get(2)).toMatchObject({ ok: true, result: { key: "c", value: "older" } })
  expect(position).toEqual({ in: { 0: 3 } })
})

test("Q7 Q9: what runs outweighs a copy, a copy a failure, and a failure that the partition is elsewhere", async () => {
  const copy = { ...row("a", "copied"), lag: 3 } as PackedResult[number][1]
  const failed: PartitionResult<never> = { ok: false, reason: "STORE_EXCEPTION", message: "damaged" }
  const joined = async (...results: ReadonlyArray<PackedResult[number][1]>) =>
    (
      await joinAnswers(
        results.map((result) => [[0, result]]),
        info(),
      )
    ).partitions.get(0)
  expect(await joined(copy, row("a", "own"))).toMatchObject({ result: { value: "own" } })
  expect(await joined(failed, copy)).toMatchObject({ result: { value: "copied" }, lag: 3 })
  expect(await joined(absent, failed, absent)).toMatchObject({ message: "damaged" })
})
