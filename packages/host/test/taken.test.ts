/** When a network tells a writer that its chunks are its own again. */
import { type ClientTls, type Connection, memoryNet, type Net } from "@millrace/host"
import { nodeNet } from "@millrace/host/node"
import { authority, server } from "@millrace/testing/certificates"
import { expect, onTestFinished, test } from "vitest"

const tls: ClientTls = { ca: authority, checksHost: true }
const NETS: readonly [string, Net, boolean][] = [
  ["TCP", nodeNet, false],
  ["TLS", nodeNet, true],
  ["memory", memoryNet(), false],
]
const SOCKETS = NETS.filter(([, net]) => net === nodeNet)
/** More than the system's own buffers take of a connection that nobody reads. */
const MUCH = 24 << 20

/** Both ends of a connection, neither attached. */
async function pair(net: Net, isSecure: boolean): Promise<{ client: Connection; accepted: Connection }> {
  let accept!: (connection: Connection) => void
  const accepted = new Promise<Connection>((resolve) => (accept = resolve))
  const listener = await net.listen(
    { host: "127.0.0.1", port: 0 },
    (connection) => {
      connection.attach({ data: () => {}, close: () => {} })
      accept(connection)
    },
    isSecure ? { tls: { ...server, clientAuth: "none" } } : {},
  )
  const client = await net.connect(listener.address, isSecure ? { tls } : {})
  onTestFinished(async () => {
    client.destroy()
    ;(await accepted).destroy()
    await listener.close()
  })
  return { client, accepted: await accepted }
}

test.each(NETS)("%s: what is changed once it was taken arrives as it was written", async (_, net, isSecure) => {
  const { client, accepted } = await pair(net, isSecure)
  const sizes = [3, 100_000, 1, 2_000_000, 70_000, 17]
  const expected = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index + 1)))
  const received = new Promise<Buffer>((resolve, reject) => {
    const pieces: Buffer[] = []
    client.attach({
      data: (chunk) => void pieces.push(Buffer.from(chunk)),
      close: (error) => (error ? reject(error) : resolve(Buffer.concat(pieces))),
    })
  })
  let taken = 0
  const write = (first: number, last: number) => {
    const chunks = sizes.slice(first, last).map((size, index) => Buffer.alloc(size, first + index + 1))
    accepted.write(chunks, () => {
      taken++
      for (const chunk of chunks) chunk.fill(0xdb)
    })
  }
  // Several at a time and one alone, before those ahead of them have left.
  write(0, 3)
  write(3, 4)
  write(4, 6)
  accepted.end()
  expect((await received).equals(expected)).toBe(true)
  expect(taken).toBe(3)
})

test.each(SOCKETS)("%s: what the peer does not read is not taken, until it does", async (_, net, isSecure) => {
  const { client, accepted } = await pair(net, isSecure)
  let arrived = 0
  let taken = 0
  let finished!: () => void
  const all = new Promise<void>((resolve) => (finished = resolve))
  client.pause()
  client.attach({
    data(chunk) {
      arrived += chunk.length
      if (arrived === MUCH + 1) finished()
    },
    close: () => {},
  })
  client.pause()
  const first = new Promise<void>((resolve) => {
    accepted.write([Buffer.alloc(1)], () => {
      taken++
      resolve()
    })
  })
  await first
  const second = new Promise<void>((resolve) => {
    accepted.write([Buffer.alloc(MUCH)], () => {
      taken++
      resolve()
    })
  })
  // Turns of the loop in which the system takes what it can.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(taken).toBe(1)
  expect(accepted.pendingBytes).toBeGreaterThan(0)
  client.resume()
  await Promise.all([second, all])
})

test.each(SOCKETS)("%s: nothing is said of what a connection that ended took with it", async (_, net, isSecure) => {
  const { client, accepted } = await pair(net, isSecure)
  let taken = 0
  client.attach({ data: () => {}, close: () => {} })
  client.pause()
  accepted.write([Buffer.alloc(MUCH)], () => taken++)
  accepted.write([Buffer.alloc(10), Buffer.alloc(10)], () => taken++)
  accepted.destroy()
  accepted.write([Buffer.alloc(10)], () => taken++)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(taken).toBe(0)
})
