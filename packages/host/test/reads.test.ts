import { type ClientTls, type Connection, memoryNet, type Net } from "@millrace/host"
import { nodeNet } from "@millrace/host/node"
import { authority, server } from "@millrace/testing/certificates"
import { expect, onTestFinished, test } from "vitest"

const tls: ClientTls = { ca: authority, checksHost: true }
const sent = Buffer.from(Uint8Array.from({ length: 400_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff))

/** Sends everything to whoever says something, and ends. */
async function sender(net: Net, isSecure: boolean) {
  const accepted: Connection[] = []
  const listener = await net.listen(
    { host: "127.0.0.1", port: 0 },
    (connection) => {
      accepted.push(connection)
      connection.attach({
        data() {
          connection.write([sent])
          connection.end()
        },
        close: () => {},
      })
    },
    isSecure ? { tls: { ...server, clientAuth: "none" } } : {},
  )
  onTestFinished(async () => {
    for (const connection of accepted) connection.destroy()
    await listener.close()
  })
  return net.connect(listener.address, isSecure ? { tls } : {})
}

/** Offers rooms of these sizes in turn, and answers all that came by the time the connection closed. */
function readInto(connection: Connection, sizes: readonly number[], onRead: (reads: number) => void = () => {}) {
  const pieces: Uint8Array[] = []
  let room: Buffer
  let reads = 0
  return new Promise<{ received: Buffer; fromTarget: number }>((resolve, reject) => {
    let fromTarget = 0
    connection.attach({
      data: (chunk) => void pieces.push(chunk),
      target: {
        room: () => (room = Buffer.alloc(sizes[reads++ % sizes.length]!)),
        filled(bytes) {
          fromTarget += bytes
          pieces.push(room.subarray(0, bytes))
          onRead(reads)
        },
      },
      close: (error) => (error ? reject(error) : resolve({ received: Buffer.concat(pieces), fromTarget })),
    })
    connection.write([Buffer.from("send")])
  })
}

const NETS: readonly [string, Net, boolean][] = [
  ["TCP", nodeNet, false],
  ["TLS", nodeNet, true],
  ["memory", memoryNet(), false],
]

const SOCKETS = NETS.filter(([, net]) => net === nodeNet)

test.each(NETS)("%s: reads everything in order, whatever room the reader has, and closes", async (_, net, isSecure) => {
  for (const sizes of [[1_000, 3, 70_000], [1 << 20]]) {
    const { received, fromTarget } = await readInto(await sender(net, isSecure), sizes)
    expect(received.equals(sent)).toBe(true)
    // What memory brings are copies already.
    if (net === nodeNet) expect(fromTarget).toBeGreaterThan(sent.length / 2)
  }
})

test.each(SOCKETS)("%s: a reader that pauses gets the rest when it resumes", async (_, net, isSecure) => {
  const connection = await sender(net, isSecure)
  const { received } = await readInto(connection, [5_000], (reads) => {
    if (reads % 10 !== 0) return
    connection.pause()
    setImmediate(() => connection.resume())
  })
  expect(received.equals(sent)).toBe(true)
})

test.each(NETS)("%s: a reader without room gets chunks, which nobody writes to again", async (_, net, isSecure) => {
  const connection = await sender(net, isSecure)
  const chunks: Uint8Array[] = []
  await new Promise<void>((resolve, reject) => {
    connection.attach({
      data: (chunk) => void chunks.push(chunk),
      close: (error) => (error ? reject(error) : resolve()),
    })
    connection.write([Buffer.from("send")])
  })
  expect(Buffer.concat(chunks).equals(sent)).toBe(true)
})

test.each(SOCKETS)("%s: a reader may end the connection while it reads", async (_, net, isSecure) => {
  const connection = await sender(net, isSecure)
  const { received } = await readInto(connection, [1_000], (reads) => {
    if (reads === 3) connection.destroy()
  })
  expect(received.length).toBeLessThan(sent.length)
})
