import { deflateRawSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { zipEntries } from "../src/zip.ts"

/** A zip archive of the given files, every second one stored, the others deflated. */
function zipOf(files: [name: string, content: string][]): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  files.forEach(([name, content], i) => {
    const method = i % 2 === 0 ? 8 : 0
    const data = method === 8 ? deflateRawSync(Buffer.from(content)) : Buffer.from(content)
    const local = Buffer.alloc(30 + name.length)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    local.write(name, 30)
    const entry = Buffer.alloc(46 + name.length)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    entry.write(name, 46)
    locals.push(local, data)
    directory.push(entry)
    offset += local.length + data.length
  })
  const end = Buffer.alloc(22 + 7)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(7, 20)
  end.write("comment", 22)
  return Buffer.concat([...locals, ...directory, end])
}

describe("zipEntries", () => {
  it("reads stored and deflated entries", () => {
    const files: [string, string][] = [
      ["a/one.json", "{}"],
      ["b/two.txt", "two"],
      ["empty", ""],
    ]
    const read = [...zipEntries(zipOf(files))].map((entry) => [entry.name, entry.content().toString()])
    expect(read).toEqual(files)
  })

  it("refuses what is no archive", () => {
    expect(() => [...zipEntries(Buffer.alloc(100))]).toThrow("not a zip archive")
  })
})
