/**
 * What every store of snapshots does. Run it against each implementation, empty at the beginning.
 */
import { expect, test } from "vitest"
import type { SnapshotStore } from "../../src/snapshots/snapshot-store.ts"

export function snapshotStoreConformance(open: () => Promise<SnapshotStore>): void {
  const text = async (store: SnapshotStore, name: string) => {
    const content = await store.get(name)
    return content && Buffer.from(content).toString()
  }

  test("what was put is there, whole, also when the caller's bytes change then", async () => {
    const store = await open()
    const content = Buffer.from("content")
    await store.put("app/s-0/id/1-a/0", content)
    content.fill(0)
    await store.put("app/s-0/id/1-a/empty", Buffer.alloc(0))
    const large = Buffer.alloc(5 * 1024 * 1024, "0123456789")
    await store.put("app/s-0/id/1-a/large", large)
    expect(await text(store, "app/s-0/id/1-a/0")).toBe("content")
    expect(await text(store, "app/s-0/id/1-a/empty")).toBe("")
    expect(Buffer.compare((await store.get("app/s-0/id/1-a/large"))!, large)).toBe(0)
  })

  test("what is not there is undefined, and deleting it is nothing", async () => {
    const store = await open()
    expect(await store.get("app/none")).toBeUndefined()
    await store.delete("app/none/0")
    expect(await store.list("app/")).toEqual([])
  })

  test("names are listed by how they begin", async () => {
    const store = await open()
    const names = ["app/s-1/id/1-a/0", "app/s-1/id/1-a/manifest", "app/s-10/id/1-a/0", "other/s-1/id/1-a/0"]
    for (const name of names) await store.put(name, Buffer.from(name))
    expect([...(await store.list("app/s-1/"))].sort()).toEqual(names.slice(0, 2))
    expect([...(await store.list("app/"))].sort()).toEqual(names.slice(0, 3))
    await store.delete(names[0]!)
    expect([...(await store.list("app/s-1/"))]).toEqual([names[1]])
    await store.delete(names[1]!)
    expect([...(await store.list("app/s-1/"))]).toEqual([])
  })
}
