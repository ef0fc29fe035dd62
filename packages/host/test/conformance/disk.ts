import { expect, it } from "vitest"
import { type Disk, DiskError, writeFileAtomically } from "../../src/index.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array | undefined) =>
  content === undefined ? undefined : new TextDecoder().decode(content)

/** What every implementation of the disk port must do; durability is for the simulated one to enforce. */
export function diskConformance(disk: Disk, freshDirectory: () => string): void {
  it("reads what was written, short at the end of the file", () => {
    const file = disk.open(`${freshDirectory()}/f`, { create: true })
    file.write([bytes("hello "), bytes("log")], 0)
    file.write([bytes("LOG")], 6)
    const target = new Uint8Array(16).fill(1)
    expect(file.read(target, 2, 10, 4)).toBe(5)
    expect(text(target.subarray(2, 7))).toBe("o LOG")
    expect(target[7]).toBe(1)
    expect(file.size()).toBe(9)
    file.close()
  })

  it("fills a gap before a write with zeros", () => {
    const file = disk.open(`${freshDirectory()}/f`, { create: true })
    file.write([bytes("x")], 3)
    const target = new Uint8Array(4).fill(9)
    expect(file.read(target, 0, 4, 0)).toBe(4)
    expect([...target]).toEqual([0, 0, 0, 120])
    file.close()
  })

  it("truncates, and a new open sees it", () => {
    const path = `${freshDirectory()}/f`
    const file = disk.open(path, { create: true })
    file.write([bytes("abcdef")], 0)
    file.truncate(2)
    file.sync()
    file.close()
    expect(text(disk.readFile(path))).toBe("ab")
    disk.open(path, { truncate: true }).close()
    expect(text(disk.readFile(path))).toBe("")
  })

  it("names the path and the code of a fault", () => {
    const path = `${freshDirectory()}/absent`
    try {
      disk.open(path)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(DiskError)
      expect(error).toMatchObject({ code: "ENOENT", path })
      expect((error as Error).message).toBe(`cannot open ${path}: no such file or directory`)
    }
  })

  it("lists sorted names, of nothing when the directory is absent", () => {
    const directory = freshDirectory()
    for (const name of ["b", "a", "c"]) disk.open(`${directory}/${name}`, { create: true }).close()
    disk.makeDirectory(`${directory}/d/e`)
    expect(disk.list(directory)).toEqual(["a", "b", "c", "d"])
    expect(disk.isDirectory(`${directory}/d`)).toBe(true)
    expect(disk.isDirectory(`${directory}/a`)).toBe(false)
    expect(disk.list(`${directory}/absent`)).toEqual([])
  })

  it("tells the space of a directory's device, where it knows it", () => {
    const space = disk.space(freshDirectory())
    if (space === undefined) return
    expect(space.totalBytes).toBeGreaterThan(0)
    expect(space.usableBytes).toBeGreaterThanOrEqual(0)
    expect(space.usableBytes).toBeLessThanOrEqual(space.totalBytes)
  })

  it("renames over a file and a directory with its content", () => {
    const directory = freshDirectory()
    disk.open(`${directory}/old`, { create: true }).close()
    writeFileAtomically(disk, `${directory}/old`, bytes("new content"))
    expect(text(disk.readFile(`${directory}/old`))).toBe("new content")
    expect(disk.list(directory)).toEqual(["old"])
    disk.makeDirectory(`${directory}/x`)
    disk.rename(`${directory}/old`, `${directory}/x/moved`)
    disk.rename(`${directory}/x`, `${directory}/y`)
    expect(text(disk.readFile(`${directory}/y/moved`))).toBe("new content")
    expect(disk.exists(`${directory}/x`)).toBe(false)
  })

  it("removes a tree, and nothing twice", () => {
    const directory = freshDirectory()
    disk.makeDirectory(`${directory}/x/y`)
    disk.open(`${directory}/x/y/f`, { create: true }).close()
    disk.remove(`${directory}/x`)
    disk.remove(`${directory}/x`)
    expect(disk.list(directory)).toEqual([])
    expect(disk.readFile(`${directory}/x/y/f`)).toBeUndefined()
  })
}
