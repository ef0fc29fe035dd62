import { expect, test } from "vitest"
import { type Connection, memoryNet } from "@millrace/host"

const address = { host: "memory", port: 9092 }

async function pair() {
  const net = memoryNet()
  let server!: Connection
  await net.listen(address, (connection) => (server = connection))
  const client = await net.connect(address)
  return { net, client, server }
}

const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

function record(connection: Connection) {
  const log: string[] = []
  connection.attach({
    data: (chunk) => log.push(Buffer.from(chunk).toString()),
    drain: () => log.push("(drain)"),
    close: (error) => log.push(error ? `(${error.code})` : "(close)"),
  })
  return log
}

test("keeps the order, never delivers inside write, copies what was written", async () => {
  const { client, server } = await pair()
  const received = record(server)
  record(client)
  const bytes = Buffer.from("one")
  client.write([bytes, Buffer.from("two")])
  bytes.fill(0)
  client.write([Buffer.from("three")])
  expect(received).toEqual([])
  await turns()
  expect(received).toEqual(["onetwo", "three"])
})

test("end delivers what is queued, then closes both ends once", async () => {
  const { client, server } = await pair()
  const received = record(server)
  const answers = record(client)
  client.write([Buffer.from("last")])
  client.end()
  await turns()
  expect(received).toEqual(["last", "(close)"])
  expect(answers).toEqual(["(close)"])
  expect(server.write([Buffer.from("x")])).toBe(false)
})

test("destroy drops what is queued", async () => {
  const { client, server } = await pair()
  const received = record(server)
  record(client)
  client.write([Buffer.from("lost")])
  client.destroy()
  await turns()
  expect(received).toEqual(["(close)"])
})

test("pause holds chunks back; a full pipe asks the writer to wait and tells it when to go on", async () => {
  const { client, server } = await pair()
  const received = record(server)
  const events = record(client)
  server.pause()
  expect(client.write([Buffer.alloc(1024 * 1024)])).toBe(false)
  expect(client.pendingBytes).toBe(1024 * 1024)
  await turns()
  expect(received).toEqual([])
  server.resume()
  await turns()
  expect(received).toHaveLength(1)
  expect(events).toEqual(["(drain)"])
})

test("a taken port and an absent listener are errors that name the address", async () => {
  const { net } = await pair()
  await expect(net.listen(address, () => {})).rejects.toThrow("cannot listen on memory:9092: the port is in use")
  await expect(net.connect({ host: "memory", port: 1 })).rejects.toMatchObject({ code: "ECONNREFUSED" })
})
