/**
 * The versioned store against a list of versions: any puts, deletions, commits, aborts, restarts from the changelog and
 * engine writes in between (reference row S2).
 */
import { string } from "@millrace/schema"
import fc from "fast-check"
import { expect, test } from "vitest"
import { packed } from "../../src/serde/packed.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { VersionedStore } from "../../src/state/versioned-store.ts"

const HISTORY_MS = 300_000
const STEP_MS = 20_000
const spec = {
  name: "v",
  kind: "versioned",
  key: string,
  value: packed,
  retentionMs: HISTORY_MS,
  changelog: "c",
} as const
const newStore = () => new VersionedStore<string, string>(spec, new MemoryEngine(), FLUSH_LIMITS)

const KEYS = ["a", "b", "a\0"]

/** All versions ever, deletions too, by time. */
class Model {
  readonly versions: ReadonlyMap<string, ReadonlyArray<readonly [time: number, value: string | undefined]>>
  readonly time: number

  constructor(versions: Model["versions"] = new Map(), time = -1) {
    this.versions = versions
    this.time = time
  }

  put(key: string, value: string | undefined, at: number): Model {
    const others = (this.versions.get(key) ?? []).filter(([time]) => time !== at)
    const all = [...others, [at, value] as const].sort(([left], [right]) => left - right)
    return new Model(new Map([...this.versions, [key, all]]), Math.max(this.time, at))
  }

  endOf(key: string, at: number): number {
    return this.versions.get(key)?.find(([time]) => time > at)?.[0] ?? Number.POSITIVE_INFINITY
  }

  get(key: string, asOf: number) {
    const all = this.versions.get(key) ?? []
    const found = all.findLast(([time]) => time <= asOf)
    if (found === undefined || found[1] === undefined) return undefined
    if (found !== all.at(-1) && asOf < this.time - HISTORY_MS) return undefined
    return { value: found[1], timestamp: found[0], validTo: this.endOf(key, found[0]) }
  }

  history(key: string) {
    return (this.versions.get(key) ?? [])
      .map(([timestamp, value]) => ({ value, timestamp, validTo: this.endOf(key, timestamp) }))
      .filter(({ value, validTo }) => value !== undefined && validTo > this.time - HISTORY_MS)
      .toReversed()
  }
}

const time = fc.nat(60).map((step) => step * STEP_MS + (step % 3))
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      key: fc.constantFrom(...KEYS),
      value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
      time,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("commit" as const, "abort" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("restart" as const, "flush" as const) }) },
)

test("S2: reads as of any time find what a list of versions does", async () => {
  const property = fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
    let store = newStore()
    let open = new Model()
    let committed = open
    const log = new Map<string, readonly [Uint8Array, number]>()
    const commit = () => {
      for (const { key, value, timestamp } of store.stage()) {
        expect(timestamp).toBeGreaterThanOrEqual(0)
        if (value === null) log.delete(key)
        else log.set(key, [value.subarray(8), timestamp])
      }
      store.merge()
      committed = open
    }
    for (const one of actions) {
      if (one.kind === "put") {
        if (one.time < store.historyFrom) continue
        store.streamTime.value = Math.max(store.streamTime.value, one.time)
        expect(store.put(one.key, one.value, one.time)).toBe(open.endOf(one.key, one.time))
        open = open.put(one.key, one.value, one.time)
      } else if (one.kind === "commit") commit()
      else if (one.kind === "flush") store.committed.flush({ topicId: "c", offset: 0, writtenAt: 0 })
      else {
        store.rollback()
        open = committed
        if (one.kind === "restart") {
          store = newStore()
          for (const [key, [value, timestamp]] of log) store.restore(Buffer.from(key, "latin1"), value, timestamp)
        }
      }
      if (one.kind === "flush") await store.committed.settle()
      for (const key of KEYS) {
        for (let asOf = 0; asOf <= 61 * STEP_MS; asOf += 7 * STEP_MS + 1) {
          const found = store.get(key, asOf)
          expect(found.value === undefined ? undefined : found).toEqual(open.get(key, asOf))
        }
        expect([...store.versions(key)]).toEqual(open.history(key))
      }
    }
    commit()
    const found = [...store.entries()].map(({ key, ...version }) => [
      key,
      { validTo: Number.POSITIVE_INFINITY, ...version },
    ])
    const expected = [...KEYS].sort().flatMap((key) => open.history(key).map((version) => [key, version]))
    expect(found).toEqual(expected)

    // Once all is history, what is left is the latest of each key that was not deleted.
    for (const at of [3, 4, 5]) {
      store.streamTime.value = at * 100 * STEP_MS
      commit()
    }
    const live = KEYS.filter((key) => open.get(key, Number.POSITIVE_INFINITY) !== undefined)
    // And the cell of stream time.
    expect(log.size).toBe(live.length + 1)
    expect([...store.committed.range()]).toHaveLength(live.length + 1)
  })
  await fc.assert(property, { numRuns: 200 })
})
