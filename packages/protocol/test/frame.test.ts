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

/** Reads the stream into the splitter's own memory, at most so many bytes at a time. */
function read(splitter: FrameSplitter, stream: Buffer, sizes: number[]): Uint8Array[] {
  const frames: Uint8Array[] = []
  let at = 0
  for (let i = 0; at < stream.length; i++) {
    expect(splitter.room().length).toBeGreaterThan(0)
    const copied = stream.copy(splitter.room(), 0, at, at + sizes[i % sizes.length]!)
    frames.push(...splitter.filled(copied))
    at += copied
  }
  return frames
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

  it("yields the same frames however the stream is read into it, and never writes to them again", () => {
    // Payloads below and above what is read at once while none has begun.
    const payload = fc.oneof(fc.integer({ max: 300, min: 0 }), fc.integer({ min: 60_000, max: 400_000 }))
    const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1_000, max: 300_000 }))
    fc.assert(
      fc.property(
        fc.array(payload, { maxLength: 6 }),
        // One that moves on, lest it takes forever.
        fc.tuple(fc.array(size, { maxLength: 5 }), fc.integer({ min: 30_000, max: 300_000 })),
        fc.constantFrom(1, 100_000, 1_000_000),
        (lengths, [some, large], reserveBytes) => {
          const payloads = lengths.map((length, index) => Buffer.alloc(length, index + 1))
          const splitter = new FrameSplitter(1_000_000, reserveBytes)
          const frames = read(splitter, framed(payloads), [...some, large])
          expect(frames.map((frame) => frame.length)).toEqual(lengths)
          expect(frames.every((frame, index) => payloads[index]!.equals(frame))).toBe(true)
          expect(splitter.bufferedBytes).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })

  it("gathers in memory of a pool: what it outgrew goes back, and a payload may as a whole", () => {
    const poisoned = new Set<Buffer>()
    const buffers = {
      take: (bytes: number) => Buffer.alloc(bytes, 0xdb),
      giveBack(buffer: Buffer) {
        expect(poisoned.has(buffer)).toBe(false)
        poisoned.add(buffer.fill(0xdb))
      },
    }
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 400_000 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1_000, max: 100_000 }), { minLength: 1, maxLength: 4 }),
        (lengths, sizes) => {
          const payloads = lengths.map((length, index) => Buffer.alloc(length, index + 1))
          const splitter = new FrameSplitter(1_000_000, 16 * 1024, buffers)
          let next = 0
          for (const chunk of chunked(framed(payloads), sizes)) {
            for (const frame of splitter.push(chunk)) {
              expect(payloads[next++]!.equals(frame)).toBe(true)
              // One that lay whole in a chunk is a view of that.
              if (frame.buffer !== chunk.buffer) buffers.giveBack(frame as Buffer)
            }
          }
          expect(next).toBe(payloads.length)
        },
      ),
      { numRuns: 50 },
    )
  })

  it("goes on with chunks where it was read into, and the other way round", () => {
    const payloads = [Buffer.alloc(200_000, 1), Buffer.from("two"), Buffer.alloc(100_000, 3)]
    const stream = framed(payloads)
    const splitter = new FrameSplitter(200_000)
    const frames = [
      ...splitter.push(Buffer.from(stream.subarray(0, 2))),
      ...read(splitter, stream.subarray(2, 100_000), [40_000]),
      ...splitter.push(Buffer.from(stream.subarray(100_000, 250_000))),
      ...read(splitter, stream.subarray(250_000), [40_000]),
    ]
    expect(frames.map((frame) => Buffer.from(frame))).toEqual(payloads)
  })

  it("reads a large frame into the buffer that it yields", () => {
    const payload = Buffer.alloc(300_000, 5)
    const splitter = new FrameSplitter(payload.length, payload.length)
    const stream = framed([payload])
    read(splitter, stream.subarray(0, 10), [10])
    const room = splitter.room()
    expect(room).toHaveLength(payload.length - 6)
    const [frame] = read(splitter, stream.subarray(10), [stream.length])
    expect(frame!.buffer).toBe(room.buffer)
    expect(payload.equals(frame!)).toBe(true)
  })

  it("has room for more when what has come fills the buffer", () => {
    const payload = Buffer.alloc(200_000, 5)
    const splitter = new FrameSplitter(payload.length)
    const [frame] = read(splitter, framed([payload]), [4, 64 * 1024])
    expect(payload.equals(frame!)).toBe(true)
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
