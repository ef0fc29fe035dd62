/** Each example does what its header says. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { TestDriver } from "@millrace/testing"
import { expect, onTestFinished, test } from "vitest"
import clickSessions, { Clicks, LateClicks, Visits } from "../src/click-sessions.ts"
import fraudScoring, { Approved, Payments, Suspicious, Unscored } from "../src/fraud-scoring.ts"
import orderDetails, { Customers, Details, Orders } from "../src/order-details.ts"
import tableSync, { Changes, Countries, Users } from "../src/table-sync.ts"

const rows = <K, V>(records: readonly { key: K; value: V }[]) => records.map(({ key, value }) => [key, value])

test("fraud-scoring: scores over HTTP, tries again when the service is busy, puts aside what it refuses", async () => {
  const calls = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { card, cents } = JSON.parse(Buffer.concat(chunks).toString()) as { card: string; cents: number }
      const key = String(request.headers["idempotency-key"])
      const count = (calls.get(key) ?? 0) + 1
      calls.set(key, count)
      if (card === "busy" && count === 1) return response.writeHead(503).end()
      if (card === "unreadable") return response.writeHead(422).end()
      response.writeHead(200).end(JSON.stringify({ score: cents > 1_000 ? 0.9 : 0.1 }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  process.env["FRAUD_URL"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  onTestFinished(() => {
    delete process.env["FRAUD_URL"]
    server.close()
  })
  // The service answers in real time, which the driver's would overtake.
  await using driver = await TestDriver.start(fraudScoring, {
    partitions: { [Unscored.name]: 1 },
    effects: "real-time",
  })
  const payments = [
    { card: "a", cents: 100 },
    { card: "busy", cents: 200 },
    { card: "unreadable", cents: 300 },
    { card: "b", cents: 5_000 },
  ]
  for (const [index, value] of payments.entries()) driver.send(Payments, { key: String(index), value })
  await driver.run()
  expect(rows(driver.read(Approved))).toEqual([
    ["0", { card: "a", cents: 100, score: 0.1 }],
    ["1", { card: "busy", cents: 200, score: 0.1 }],
  ])
  expect(rows(driver.read(Suspicious))).toEqual([["3", { card: "b", cents: 5_000, score: 0.9 }]])
  expect(rows(driver.read(Unscored))).toEqual([["2", { card: "unreadable", cents: 300 }]])
  // The second try was told as such: four payments, four keys.
  expect([...calls.values()].toSorted()).toEqual([1, 1, 1, 2])
})

test("click-sessions: a visit comes out once, when no click can belong to it any more", async () => {
  const minutes = 60_000
  await using driver = await TestDriver.start(clickSessions)
  const click = (user: string, page: string, at: number) =>
    driver.send(Clicks, { key: user, value: { page }, timestamp: at * minutes })
  click("ann", "/", 0)
  click("ben", "/", 5)
  click("ann", "/help", 29)
  click("ann", "/contact", 20)
  await driver.run()
  expect(driver.read(Visits)).toEqual([])
  // Past half an hour and five minutes after the last click of ann's.
  click("ben", "/again", 65)
  await driver.run()
  expect(rows(driver.read(Visits))).toEqual([
    ["ben", { user: "ben", from: 5 * minutes, to: 5 * minutes, pages: ["/"] }],
    ["ann", { user: "ann", from: 0, to: 29 * minutes, pages: expect.arrayContaining(["/", "/help", "/contact"]) }],
  ])
  click("ann", "/late", 1)
  await driver.run()
  expect(rows(driver.read(LateClicks))).toEqual([["ann", { page: "/late" }]])
})

test("order-details: follows either side", async () => {
  await using driver = await TestDriver.start(orderDetails, { partitions: { orders: 3, customers: 2 } })
  driver.send(Orders, { key: "o1", value: { customer: "c1", cents: 5 } })
  await driver.run()
  expect(driver.read(Details)).toEqual([])
  driver.send(Customers, { key: "c1", value: { name: "Ann", country: "NL" } })
  await driver.run()
  driver.send(Customers, { key: "c1", value: { name: "Ann", country: "BE" } })
  await driver.run()
  driver.send(Orders, { key: "o1", value: null })
  await driver.run()
  expect(rows(driver.read(Details))).toEqual([
    ["o1", { customer: "c1", cents: 5, customerName: "Ann", country: "NL" }],
    ["o1", { customer: "c1", cents: 5, customerName: "Ann", country: "BE" }],
    ["o1", null],
  ])
})

test("table-sync: the rows as they are now, and how many by country", async () => {
  await using driver = await TestDriver.start(tableSync)
  const user = (id: number, country: string) => ({ id, country })
  const change = (op: "c" | "u" | "d", before: any, after: any) =>
    driver.send(Changes, { key: "ignored", value: { op, before, after } })
  change("c", null, user(1, "NL"))
  change("c", null, user(2, "NL"))
  change("u", user(1, "NL"), user(1, "BE"))
  change("d", user(2, "NL"), null)
  await driver.run()
  const latest = (records: readonly { key: string; value: unknown }[]) =>
    new Map(records.map(({ key, value }) => [key, value]))
  expect(latest(driver.read(Users))).toEqual(
    new Map<string, unknown>([
      ["1", user(1, "BE")],
      ["2", null],
    ]),
  )
  expect(latest(driver.read(Countries)).get("BE")).toBe(1)
  expect(latest(driver.read(Countries)).get("NL") ?? 0).toBe(0)
})
