import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FrameError, FrameSplitter } from "../src/frame.ts"

function framed(payloads: Uint8Array[]): Buffer {
  return Buffer.concat(
    payloads.flatMap((payload) => {
      const prefix = Buffer.alloc(4)
      prefix.writeInt32BE(payload.length)
      return [prefix, payload]
    }),
  )
}

function chunked(stream: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (let i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length]!
    chunks.push(Buffer.from(stream.subarray(at, at + size)))
    at += size
  }
  return chunks
}

describe("FrameSplitter", () => {
  it("yields the same frames however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }),
        (payloads, sizes) => {
          const splitter = new FrameSplitter(1000)
          const frames = chunked(framed(payloads), sizes).flatMap((chunk) => splitter.push(chunk))
          expect(frames.map((frame) => [...frame])).toEqual(payloads.map((payload) => [...payload]))
          expect(splitter.bufferedBytes).toBe(0)
        },
      ),
    )
  })

  it("yields views of a chunk that holds whole frames", () => {
    const chunk = framed([Buffer.from("one"), Buffer.from("two")])
    const frames = new FrameSplitter(100).push(chunk)
    expect(frames.map((frame) => frame.buffer)).toEqual([chunk.buffer, chunk.buffer])
  })

  it("gathers a large frame from small pieces", () => {
    const payload = Buffer.alloc(300_000, 5)
    const splitter = new FrameSplitter(payload.length)
    const frames = chunked(framed([payload]), [1000]).flatMap((chunk) => splitter.push(chunk))
    expect(frames).toHaveLength(1)
    expect(payload.equals(frames[0]!)).toBe(true)
  })

  it("reserves memory for what arrived, not for what was announced", () => {
    const before = process.memoryUsage().arrayBuffers
    const splitters = Array.from({ length: 20 }, () => {
      const splitter = new FrameSplitter(100 << 20)
      splitter.push(Buffer.from("06400000ff", "hex"))
      return splitter
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20)
    expect(splitters.map((splitter) => splitter.bufferedBytes)).toEqual(Array.from({ length: 20 }, () => 5))
  })

  it.each([
    ["ffffffff", "a frame of -1 bytes, allowed are 0 to 100"],
    ["00000065", "a frame of 101 bytes, allowed are 0 to 100"],
    [Buffer.from("GET / HTTP/1.1\r\n").toString("hex"), "HTTP request"],
    ["160301020001", "TLS handshake"],
  ])("refuses %s", (hex, reason) => {
    const splitter = new FrameSplitter(100)
    expect(() => splitter.push(Buffer.from(hex, "hex"))).toThrow(FrameError)
    expect(() => new FrameSplitter(100).push(Buffer.from(hex, "hex"))).toThrow(reason)
  })
})
