import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { UndoCell, UndoLog, UndoMap } from "../../src/coordinator/undo.ts"

describe("undo", () => {
  test("takes back to a mark, in reverse, and what is forgotten stays", () => {
    const undo = new UndoLog()
    const map = new UndoMap<string, number>(undo)
    const cell = new UndoCell(undo, "a")
    undo.begin()
    map.set("x", 1)
    undo.forget()
    undo.begin()
    map.set("x", 2)
    const mark = undo.mark()
    map.delete("x")
    map.set("x", 3)
    cell.set("b")
    undo.rollback(mark)
    expect([map.get("x"), cell.get()]).toEqual([2, "a"])
    undo.rollback(0)
    expect(map.get("x")).toBe(1)
  })

  test("a value of undefined is a value", () => {
    const undo = new UndoLog()
    const map = new UndoMap<string, undefined>(undo)
    map.set("x", undefined)
    undo.begin()
    map.set("x", undefined)
    undo.rollback(0)
    expect(map.has("x")).toBe(true)
  })

  test("a map is as before after any changes are taken back", () => {
    const change = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), key: fc.integer({ min: 0, max: 5 }), value: fc.nat() }),
      fc.record({ kind: fc.constant("delete" as const), key: fc.integer({ min: 0, max: 5 }), value: fc.constant(0) }),
      fc.record({ kind: fc.constant("clear" as const), key: fc.constant(0), value: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.array(change), fc.array(change), (kept, undone) => {
        const undo = new UndoLog()
        const map = new UndoMap<number, number>(undo)
        const apply = ({ kind, key, value }: (typeof kept)[number]) => {
          if (kind === "set") map.set(key, value)
          else if (kind === "delete") map.delete(key)
          else map.clear()
        }
        for (const step of kept) apply(step)
        const before = new Map(map)
        undo.begin()
        for (const step of undone) apply(step)
        undo.rollback(0)
        expect(new Map(map)).toEqual(before)
      }),
    )
  })
})
