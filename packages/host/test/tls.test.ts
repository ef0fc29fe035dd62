import { connect } from "node:tls"
import { type Address, type ClientTls, type Connection, NetError, type ServerTls } from "@millrace/host"
import { nodeNet } from "@millrace/host/node"
import { expect, onTestFinished, test, vi } from "vitest"
import { authority, client, server, stranger } from "@millrace/testing/certificates"

const trusting: ClientTls = { ca: authority, checksHost: true }

async function listen(tls: ServerTls) {
  const refusals: string[] = []
  const refused: Address[] = []
  const accepted: Connection[] = []
  const listener = await nodeNet.listen(
    { host: "127.0.0.1", port: 0 },
    (connection) => {
      accepted.push(connection)
      // An echo.
      connection.attach({ data: (chunk) => connection.write([chunk]), close: () => {} })
    },
    { tls, onRefused: (remote, reason) => void (refused.push(remote), refusals.push(reason)) },
  )
  onTestFinished(async () => {
    for (const connection of accepted) connection.destroy()
    await listener.close()
  })
  return { listener, refusals, refused, accepted }
}

/** What comes back of `text`; rejects when the connection ends before. */
async function echo(connection: Connection, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ""
    connection.attach({
      data(chunk) {
        received += Buffer.from(chunk).toString()
        if (received.length < text.length) return
        connection.destroy()
        resolve(received)
      },
      close: (error) => reject(error ?? new Error("closed")),
    })
    connection.write([Buffer.from(text)])
  })
}

test("carries bytes, several chunks at a time", async () => {
  const { listener, accepted } = await listen({ ...server, clientAuth: "none" })
  const connection = await nodeNet.connect(listener.address, { tls: trusting })
  expect(await echo(connection, "x".repeat(300_000))).toHaveLength(300_000)
  expect(accepted[0]!.subject).toBeUndefined()
})

test.each([
  ["from an unknown authority", stranger, trusting, "no authority that is trusted here"],
  ["without an authority given", server, { checksHost: true }, "no authority that is trusted here"],
])("a client refuses a certificate %s", async (_, identity, tls, message) => {
  const { listener } = await listen({ ...identity, clientAuth: "none" })
  const failure = await nodeNet.connect(listener.address, { tls }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(NetError)
  expect((failure as NetError).message).toContain(message)
})

test("a client refuses a certificate for another host, unless told not to look", async () => {
  const { listener } = await listen({ ...client, clientAuth: "none" })
  const failure = await nodeNet.connect(listener.address, { tls: trusting }).catch((error: Error) => error.message)
  expect(failure).toMatch(/does not match/)
  const connection = await nodeNet.connect(listener.address, { tls: { ...trusting, checksHost: false } })
  expect(await echo(connection, "hello")).toBe("hello")
})

test.each([
  [["TLSv1.3"], "TLSv1.2", false],
  [["TLSv1.2"], "TLSv1.2", true],
  [["TLSv1.2"], "TLSv1.3", false],
  [["TLSv1.3", "TLSv1.2"], "TLSv1.2", true],
  [undefined, "TLSv1.3", true],
] as const)("a server of versions %j with a client of %s: %s", async (versions, version, agree) => {
  const { listener } = await listen({ ...server, clientAuth: "none", ...(versions && { versions }) })
  const { host, port } = listener.address
  const socket = connect({ host, port, ca: authority, minVersion: version, maxVersion: version })
  onTestFinished(() => void socket.destroy())
  const event = await new Promise((resolve) => {
    socket.on("error", () => resolve(false))
    socket.on("secureConnect", () => resolve(true))
  })
  expect(event).toBe(agree)
})

test("a server knows the client by its certificate", async () => {
  const { listener, accepted } = await listen({ ...server, ca: authority, clientAuth: "required" })
  const connection = await nodeNet.connect(listener.address, { tls: { ...trusting, identity: client } })
  expect(await echo(connection, "hello")).toBe("hello")
  expect(accepted[0]!.subject).toBe("CN=alice,OU=Tests,O=Millrace")
})

test.each(["requested", "required"] as const)("a certificate that is %s must be trusted", async (clientAuth) => {
  const { listener, accepted, refusals } = await listen({ ...server, ca: authority, clientAuth })
  const attempt = async () =>
    echo(await nodeNet.connect(listener.address, { tls: { ...trusting, identity: stranger } }), "hello")
  await expect(attempt()).rejects.toThrow()
  expect(accepted).toHaveLength(0)
  expect(refusals).toHaveLength(1)
})

test("a certificate that is requested may be missing; one that is required may not", async () => {
  const requested = await listen({ ...server, ca: authority, clientAuth: "requested" })
  expect(await echo(await nodeNet.connect(requested.listener.address, { tls: trusting }), "hello")).toBe("hello")
  const required = await listen({ ...server, ca: authority, clientAuth: "required" })
  const attempt = async () => echo(await nodeNet.connect(required.listener.address, { tls: trusting }), "hello")
  await expect(attempt()).rejects.toThrow()
  expect(required.accepted).toHaveLength(0)
})

test("either side is told that the other does not speak TLS", async () => {
  const { listener, refusals } = await listen({ ...server, clientAuth: "none" })
  const plain = await nodeNet.connect(listener.address)
  await expect(echo(plain, "hello, are you a broker?")).rejects.toThrow()
  expect(refusals).toEqual(["the other side does not speak TLS"])
  const open = await nodeNet.listen({ host: "127.0.0.1", port: 0 }, (connection) =>
    connection.attach({ data: () => connection.write([Buffer.from("plain text")]), close: () => {} }),
  )
  onTestFinished(() => open.close())
  await expect(nodeNet.connect(open.address, { tls: trusting })).rejects.toThrow("the other side does not speak TLS")
})

test.each([
  ["speaks no TLS", (connection: Connection) => connection.write([Buffer.from("hello, are you a broker?")])],
  ["leaves", (connection: Connection) => connection.end()],
  ["cuts the connection", (connection: Connection) => connection.destroy()],
])("who %s in the handshake is told by its address", async (_, act) => {
  const { listener, refused } = await listen({ ...server, clientAuth: "none" })
  const plain = await nodeNet.connect(listener.address)
  const closed = new Promise<void>((resolve) => plain.attach({ data: () => {}, close: () => resolve() }))
  act(plain)
  await closed
  await vi.waitFor(() => expect(refused).toEqual([plain.local]))
})

test("a listener takes a new certificate while it runs", async () => {
  const { listener } = await listen({ ...stranger, clientAuth: "none" })
  await expect(nodeNet.connect(listener.address, { tls: trusting })).rejects.toThrow("no authority")
  listener.useTls!({ ...server, clientAuth: "none" })
  expect(await echo(await nodeNet.connect(listener.address, { tls: trusting }), "hello")).toBe("hello")
})

test("a key that is not the certificate's is refused at once", async () => {
  const failure = await listen({ cert: server.cert, key: client.key, clientAuth: "none" }).catch(
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(NetError)
  expect((failure as NetError).message).toMatch(
    /^TLS on 127\.0\.0\.1:0 does not take its key or certificate: [^\n]*key/,
  )
})
