import { expect, test } from "vitest"
import { warnOfMetrics } from "../src/parts/server-log.ts"

test.each([
  ["127.0.0.1", []],
  ["localhost", []],
  ["0.0.0.0", ["--metrics 0.0.0.0:9644 tells whoever reaches it the names of topics and groups, unencrypted"]],
])("metrics served on %s: %o", (host, lines) => {
  const told: string[] = []
  warnOfMetrics((message) => told.push(message), { host, port: 9644 })
  expect(told).toEqual(lines)
})
