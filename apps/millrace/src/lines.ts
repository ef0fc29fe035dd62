/**
 * Lines of a byte stream, as bytes: what is no valid text stays as it is. A line ends with LF or CR LF, which are not part
 * of it; what follows the last one is a line if there is anything.
 */
const LF = 0x0a
const CR = 0x0d

/** The lines share memory with the chunks they came in. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Uint8Array[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const part = chunk.subarray(start, end)
      yield withoutCr(rest.length === 0 ? part : Buffer.concat([...rest, part]))
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
  if (rest.length > 0) yield withoutCr(Buffer.concat(rest))
}

const withoutCr = (line: Uint8Array): Uint8Array => (line.at(-1) === CR ? line.subarray(0, -1) : line)
