/**
 * What is no failure of one record, though the function that maintains a global store threw it on as one of its own: it is
 * not passed over, whatever handlers say.
 */
import { json, RegistryError, string, UnknownSchemaId } from "@millrace/schema"
import { expect, test } from "vitest"
import { CorruptState } from "../../src/errors.ts"
import * as S from "../../src/index.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { GlobalProcessor } from "../../src/state/global-processor.ts"
import { GlobalStore } from "../../src/state/global-store.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { makeTopology } from "../../src/topology/topology.ts"

const In = S.topic("in", { key: string, value: string })

function newProcessor(update: (value: string) => void, schema: () => void = () => {}) {
  const value = {
    ...string,
    decode: (bytes: Uint8Array) => {
      schema()
      return string.decode(bytes)
    },
  }
  const rows = S.globalStore("rows", S.topic("rows", { key: string, value }), { key: string }, (record, state) => {
    state.put(record.key!, record.value)
    update(record.value!)
  })
  const pipeline = S.pipeline(
    "app",
    () =>
      S.stream(In).pipe(
        S.joinGlobalTable(
          rows,
          (key) => key,
          (key) => key,
        ),
        S.to(S.topic("out", { key: string, value: json() })),
      ),
    { onProcessingFailure: "skip", onDeserializationFailure: "skip" },
  )
  const [spec] = makeTopology(pipeline.plan, "app").globals
  const store = new GlobalStore(spec!, new MemoryEngine(), FLUSH_LIMITS)
  const said: string[] = []
  const log = (line: string) => void said.push(line)
  const processor = new GlobalProcessor({ pipeline: "app", node: spec!.node, store, serde: (one) => one, log })
  const apply = (value: string) => {
    const record = { partition: 0, offset: 0, timestamp: 1, headers: [] }
    return processor.apply({ ...record, key: string.encode("k")!, value: string.encode(value)! })
  }
  return { apply, get: () => store.get("k").value, processor, said }
}

const wrapped = (cause: Error) => new Error("while I looked", { cause })

test("damage on disk ends the run", () => {
  const { apply, processor } = newProcessor(() => {
    throw wrapped(new CorruptState("rows", 0))
  })
  expect(() => apply("a")).toThrow("while I looked")
  expect(processor.failures.skipped).toBe(0)
})

test.each(["function", "serde"])(
  "F4: a schema that its %s lacks is fetched, and the record goes again, once",
  async (where) => {
    let isKnown = false
    const needs = () => {
      if (!isKnown) throw wrapped(new UnknownSchemaId(7, async () => void (isKnown = true)))
    }
    const seen: string[] = []
    const { apply, get, processor } = newProcessor(
      (value) => {
        if (where === "function") needs()
        seen.push(value)
      },
      where === "serde" ? needs : undefined,
    )
    const later = apply("a")
    expect([later, get()]).toEqual([expect.any(Promise), undefined])
    await later
    expect([seen, get(), processor.failures.skipped]).toEqual([["a"], "a", 0])
  },
)

test("F4: a record is passed over whose schema the registry does not have; where the registry fails, that is told", async () => {
  for (const status of [404, 500]) {
    const { apply, get, processor, said } = newProcessor(() => {
      throw wrapped(new UnknownSchemaId(7, () => Promise.reject(new RegistryError(status, 40_403, "no schema 7"))))
    })
    const answer = apply("a")
    if (status === 500) await expect(answer).rejects.toThrow("no schema 7")
    else await answer
    expect([get(), processor.failures.skipped, said.length]).toEqual(
      status === 500 ? [undefined, 0, 0] : [undefined, 1, 1],
    )
  }
})
