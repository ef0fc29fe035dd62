import { expect, test } from "vitest"
import { parseListener, resolveAdvertised, resolveListeners } from "../../src/network/listeners.ts"

const local = { host: "127.0.0.1", port: 9092 }

const config = (listeners: string[] | null, map = "") => ({
  listeners,
  "controller.listener.names": ["CONTROLLER"],
  "listener.security.protocol.map": map,
})

test("without a config there is one plaintext listener on the given address", () => {
  expect(resolveListeners(config(null), local)).toEqual([{ name: "PLAINTEXT", address: local, protocol: "PLAINTEXT" }])
})

test.each([
  ["PLAINTEXT://:9092", "PLAINTEXT", "0.0.0.0", 9092],
  ["internal://broker-1:19092", "INTERNAL", "broker-1", 19_092],
  ["PLAINTEXT://[::1]:0", "PLAINTEXT", "::1", 0],
])("reads %s", (text, name, host, port) => {
  expect(parseListener("listeners", text)).toEqual({ name, address: { host, port } })
})

test.each(["localhost:9092", "PLAINTEXT://host", "://h:1", "PLAINTEXT://h:70000"])("refuses %s", (text) => {
  expect(() => parseListener("listeners", text)).toThrow("must have the form NAME://HOST:PORT")
})

test("a name may not be used twice", () => {
  expect(() => resolveListeners(config(["A://h:1", "A://h:2"], "A:SSL"), local)).toThrow("the name A is used twice")
})

test("what is not advertised otherwise is told as it is bound", () => {
  const advertised = (...listeners: string[]) => ({ ...config(null), "advertised.listeners": listeners })
  const bound = [
    { name: "A", address: { host: "10.0.0.1", port: 31_000 }, protocol: "SSL" },
    { name: "B", address: { host: "0.0.0.0", port: 32_000 }, protocol: "PLAINTEXT" },
  ] as const
  expect(resolveAdvertised(advertised("B://example.org:0", "CONTROLLER://h:1"), bound)).toEqual([
    { name: "A", address: { host: "10.0.0.1", port: 31_000 }, protocol: "SSL" },
    { name: "B", address: { host: "example.org", port: 32_000 }, protocol: "PLAINTEXT" },
  ])
  expect(() => resolveAdvertised(advertised("C://h:1"), bound)).toThrow("there is no listener named C")
})

test("a controller's listener is not opened to clients", () => {
  expect(resolveListeners(config(["PLAINTEXT://h:1", "CONTROLLER://h:2"]), local)).toMatchObject([
    { name: "PLAINTEXT" },
  ])
})

test.each([
  [["SSL://h:1"], "", "SSL"],
  [["CLIENTS://h:1"], "PLAINTEXT:PLAINTEXT,CLIENTS:SASL_SSL", "SASL_SSL"],
  [["SSL://h:1"], "SSL:PLAINTEXT", "PLAINTEXT"],
] as const)("%o with the map %o speaks %s", (listeners, map, protocol) => {
  expect(resolveListeners(config([...listeners], map), local)).toMatchObject([{ protocol }])
})

test.each([
  ["A://h:1", "PLAINTEXT:PLAINTEXT", "listener A is not in it"],
  ["A://h:1", "A:TLS", "TLS is no protocol"],
])("%s with the map %s is refused rather than opened in the clear", (listener, map, message) => {
  expect(() => resolveListeners(config([listener], map), local)).toThrow(message)
})
