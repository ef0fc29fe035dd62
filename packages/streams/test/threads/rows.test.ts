/** Rows and changes as they are posted between threads. */
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { StoreDirectory } from "../../src/query/stores.ts"
import { packChange, packResult, unpackChange, unpackResult } from "../../src/threads/rows.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const pipeline = S.pipeline("app", () => S.table(In, { store: "rows", headers: true }))
const info = new StoreDirectory(S.makeTopology(pipeline.plan, "app"), (serde) => serde).find("rows")

const row = (value: number, ...headers: readonly (string | null)[]) => ({
  key: "k",
  value,
  timestamp: 5,
  headers: headers.map((one) => ({ key: "h", value: one === null ? null : Uint8Array.from(Buffer.from(one)) })),
})

test("Q11: a row has its headers on the other side", () => {
  for (const [query, result] of [
    [{ kind: "key", key: "k" }, row(1, "x", null)],
    [{ kind: "range" }, { rows: [row(1, "x"), row(2)], next: undefined }],
  ] as const) {
    const found = { ok: true, result, position: {} } as const
    const packed = packResult({ partitions: new Map([[0, found]]), position: {} }, query, info)
    const [[, posted]] = structuredClone(packed) as [(typeof packed)[number]]
    expect(unpackResult(posted, info)).toEqual(found)
  }
})

test("Q11: so has a change", () => {
  for (const change of [row(1, "x", null), { key: "k", value: undefined, timestamp: 6 }])
    expect(unpackChange(structuredClone(packChange(change, info)), info)).toEqual(change)
})
