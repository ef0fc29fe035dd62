import { networkInterfaces } from "node:os"
import type { Address } from "@millrace/host"
import { nodeNet } from "@millrace/host/node"
import { expect, onTestFinished, test } from "vitest"

const hasIPv6 = Object.values(networkInterfaces()).some((own) => own?.some(({ family }) => family === "IPv6"))

test.runIf(hasIPv6)("who comes over IPv4 to a listener of IPv6 has an address of IPv4", async () => {
  const seen: Address[] = []
  const listener = await nodeNet.listen({ host: "::", port: 0 }, (accepted) => {
    seen.push(accepted.remote, accepted.local)
    accepted.attach({ data: () => {}, close: () => {} })
    accepted.end()
  })
  onTestFinished(() => listener.close())
  const connection = await nodeNet.connect({ host: "127.0.0.1", port: listener.address.port })
  await new Promise<void>((resolve) => connection.attach({ data: () => {}, close: () => resolve() }))
  expect(seen).toEqual([connection.local, { host: "127.0.0.1", port: listener.address.port }])
  expect(connection.local.host).toBe("127.0.0.1")
})
