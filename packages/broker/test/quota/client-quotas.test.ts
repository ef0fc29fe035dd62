/** Which quota counts for a client, and who shares it: the order of KIP-13 and KIP-55. */
import { expect, test } from "vitest"
import { ClientQuotas } from "../../src/quota/client-quotas.ts"

const KEY = "producer_byte_rate"

/** As in `user=alice client-id=* 100`; a star is the default. */
function quotas(...rules: string[]): ClientQuotas {
  const all = new ClientQuotas()
  for (const rule of rules) set(all, rule)
  return all
}

function set(all: ClientQuotas, rule: string, key: string = KEY): void {
  const words = rule.split(" ")
  const value = words.pop()!
  const entity = words.map((word) => {
    const [entityType, name] = word.split("=") as [string, string]
    return { entityType, entityName: name === "*" ? null : name }
  })
  all.replay({ entity, key, value: value === "-" ? 0 : Number(value), remove: value === "-" })
}

/** From the most specific to the least. */
const LEVELS = [
  "user=alice client-id=app",
  "user=alice client-id=*",
  "user=alice",
  "user=* client-id=app",
  "user=* client-id=*",
  "user=*",
  "client-id=app",
  "client-id=*",
]

test.each(LEVELS.map((level, index) => [level, index] as const))(
  "%s counts before all that are less specific",
  (_, from) => {
    const all = quotas(...LEVELS.slice(from).map((level, index) => `${level} ${from + index + 1}`))
    expect(all.allowance(KEY, "alice", "app")?.limit).toBe(from + 1)
  },
)

test.each<[rule: string, sharedByClients: boolean, sharedByUsers: boolean]>([
  ["user=alice client-id=app 1", false, false],
  ["user=alice client-id=* 1", false, false],
  ["user=alice 1", true, false],
  ["user=* client-id=app 1", false, false],
  ["user=* 1", true, false],
  ["client-id=app 1", false, true],
  ["client-id=* 1", false, true],
])("%s is shared by the user's other clients: %s; by other users of the client id: %s", (rule, byClients, byUsers) => {
  const [type, other] = rule.includes("alice") ? ["user", "alice"] : ["user", "anyone"]
  const all = quotas(rule, rule.replace("=alice", "=bob"), rule.replace("=app", "=other"))
  const sharedBy = (user: string, client: string) => all.allowance(KEY, user, client)?.sharedBy
  expect(type).toBe("user")
  expect(sharedBy(other!, "app")).toBeDefined()
  expect(sharedBy(other!, "other") === sharedBy(other!, "app")).toBe(byClients)
  expect(sharedBy("bob", "app") === sharedBy(other!, "app")).toBe(byUsers)
})

test("a name may be made of anything: it is never taken for another entity's", () => {
  const all = quotas("user=a client-id=b 1")
  expect(all.allowance(KEY, "a 1:b", "")).toBeUndefined()
  expect(all.allowance(KEY, "*", "*")).toBeUndefined()
})

test("removed quotas leave those that are less specific, and at last none", () => {
  const all = quotas("user=alice 1", "user=* 2")
  set(all, "user=alice -")
  expect(all.allowance(KEY, "alice", "app")?.limit).toBe(2)
  set(all, "user=* -")
  set(all, "user=* -")
  expect(all.allowance(KEY, "alice", "app")).toBeUndefined()
  expect([...all.all()]).toEqual([])
})

test("quotas of other keys do not count", () => {
  const all = quotas("user=alice 1")
  expect(all.allowance("consumer_byte_rate", "alice", "app")).toBeUndefined()
})

test("an address has its own rate of connections, or the default", () => {
  const all = new ClientQuotas()
  expect(all.connectionRate("10.0.0.1")).toBeUndefined()
  set(all, "ip=* 7", "connection_creation_rate")
  set(all, "ip=10.0.0.1 3", "connection_creation_rate")
  expect(all.connectionRate("10.0.0.1")).toBe(3)
  expect(all.connectionRate("10.0.0.2")).toBe(7)
})
