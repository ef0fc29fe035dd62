/**
 * A cluster that does not answer is told within about ten seconds, by every kind of command; one that refuses connections,
 * within about three.
 */
import { createServer, type Server } from "node:net"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, expect, it } from "vitest"
import { millrace, PIPELINES } from "./support/process.ts"

let silent: Server
let foreign: Server

beforeAll(async () => {
  silent = createServer(() => {}).listen(0, "127.0.0.1")
  foreign = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1")
  await Promise.all([silent, foreign].map((server) => new Promise((resolve) => server.once("listening", resolve))))
})

afterAll(() => {
  silent.close()
  foreign.close()
})

const portOf = (server: Server) => (server.address() as AddressInfo).port

const cases: readonly [name: string, args: string, line: RegExp][] = [
  [
    "a command",
    "topic list --brokers 127.0.0.1:1",
    /no broker answers at 127\.0\.0\.1:1: connection refused; start one/,
  ],
  ["a server", "registry --brokers 127.0.0.1:1 --listen 127.0.0.1:0", /no broker answers at 127\.0\.0\.1:1/],
  ["a pipeline", "run PIPELINES/words.ts --brokers 127.0.0.1:1", /no broker answers at 127\.0\.0\.1:1/],
  ["something silent", "topic list --brokers 127.0.0.1:SILENT", /127\.0\.0\.1:\d+.*within 10000 ms/],
  [
    "something else than Kafka",
    "topic list --brokers 127.0.0.1:FOREIGN",
    /127\.0\.0\.1:\d+: the other side answers in HTTP: this is no Kafka port; name a broker's port with --brokers/,
  ],
]

it.concurrent.each(cases)("%s", async (_, args, line) => {
  const words = args
    .replace("PIPELINES", PIPELINES)
    .replace("SILENT", String(portOf(silent)))
    .replace("FOREIGN", String(portOf(foreign)))
    .split(" ")
  const ended = await millrace(words)
  expect(ended.stderr).toMatch(line)
  expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(ended).toMatchObject({ code: 1, stdout: "" })
})

it("a refused connection is told long before silence is", async () => {
  const told = (brokers: string) => millrace(["topic", "list", "--brokers", brokers]).then(({ stderr }) => stderr)
  const waiting = told(`127.0.0.1:${portOf(silent)}`)
  expect(await Promise.race([waiting, told("127.0.0.1:1,127.0.0.1:2")])).toMatch(/connection refused/)
  expect(await waiting).toMatch(/within 10000 ms/)
})
