/** Client quotas, beside a real Apache Kafka: what is taken, what is refused, and what a filter finds. */
import { AlterClientQuotas, type AlterClientQuotasRequest } from "@millrace/protocol/messages/alter-client-quotas"
import { DescribeClientQuotas } from "@millrace/protocol/messages/describe-client-quotas"
import { compare, group, oracle } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle()

const [EXACT, DEFAULT, ANY] = [0, 1, 2]

type Entity = readonly (readonly [type: string, name: string | null])[]
type Op = readonly [key: string, value: number | null]

const user = group("user")
const client = group("client")

/**
 * Alters, and waits until that is seen: a broker of Kafka's follows its controller a moment later. A record behind the
 * others, set and removed again, tells that they are there.
 */
async function alter(side: Side, entries: readonly (readonly [Entity, readonly Op[]])[], validateOnly = false) {
  const request: AlterClientQuotasRequest = {
    entries: entries.map(([entity, ops]) => ({
      entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })),
    validateOnly,
  }
  await side.ask(AlterClientQuotas, 1, request)
  const mark = [{ entityType: "user", entityName: `mark-${user}` }]
  for (const remove of [false, true]) {
    const ops = [{ key: "request_percentage", value: 1, remove }]
    await side.askSilently(AlterClientQuotas, 1, { entries: [{ entity: mark, ops }], validateOnly: false })
    for (;;) {
      const { entries: found } = await side.askSilently(DescribeClientQuotas, 1, {
        components: [{ entityType: "user", matchType: EXACT!, match: `mark-${user}` }],
        strict: true,
      })
      if ((found?.length === 0) === remove) break
    }
  }
}

/** Notes what a filter finds, in an order of its own: Kafka's is that of hash tables. */
async function find(side: Side, components: readonly (readonly [string, number, string | null])[], strict = false) {
  const { errorCode, entries } = await side.askSilently(DescribeClientQuotas, 1, {
    components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match })),
    strict,
  })
  const rows = entries?.map(({ entity, values }) =>
    JSON.stringify([
      entity.map(({ entityType, entityName }) => [entityType, entityName]).sort(),
      values.map(({ key, value }) => [key, value]).sort(),
    ]),
  )
  side.note("found", { errorCode, rows: rows?.sort() })
}

compare("quotas are set, changed, removed and found", async (side) => {
  const both: Entity = [
    ["user", user],
    ["client-id", client],
  ]
  await alter(side, [
    [[["user", user]], [["producer_byte_rate", 1_000]]],
    [
      both,
      [
        ["consumer_byte_rate", 2_000],
        ["request_percentage", 12.5],
      ],
    ],
    [
      [
        ["user", user],
        ["client-id", null],
      ],
      [["controller_mutation_rate", 0.5]],
    ],
    [[["client-id", client]], [["producer_byte_rate", 3_000]]],
    [[["ip", "127.0.0.9"]], [["connection_creation_rate", 50]]],
  ])
  const filters: (readonly (readonly [string, number, string | null])[])[] = [
    [["user", EXACT!, user]],
    [
      ["user", EXACT!, user],
      ["client-id", EXACT!, client],
    ],
    [
      ["user", EXACT!, user],
      ["client-id", DEFAULT!, null],
    ],
    [
      ["user", EXACT!, user],
      ["client-id", ANY!, null],
    ],
    [["client-id", EXACT!, client]],
    [["ip", EXACT!, "127.0.0.9"]],
  ]
  for (const filter of filters) for (const strict of [false, true]) await find(side, filter, strict)
  await alter(side, [
    [
      both,
      [
        ["consumer_byte_rate", null],
        ["request_percentage", 20],
        ["producer_byte_rate", null],
      ],
    ],
  ])
  await alter(side, [[[["user", user]], [["producer_byte_rate", 9]]]], true)
  await find(side, [["user", EXACT!, user]])
  await alter(side, [
    [[["user", user]], [["producer_byte_rate", null]]],
    [both, [["request_percentage", null]]],
    [
      [
        ["user", user],
        ["client-id", null],
      ],
      [["controller_mutation_rate", null]],
    ],
    [[["client-id", client]], [["producer_byte_rate", null]]],
    [[["ip", "127.0.0.9"]], [["connection_creation_rate", null]]],
  ])
  await find(side, [["user", EXACT!, user]])
})

compare("what makes no sense is refused by entity, and the others are set", async (side) => {
  const refused: (readonly [Entity, readonly Op[]])[] = [
    [[], [["producer_byte_rate", 1]]],
    [[["user", ""]], [["producer_byte_rate", 1]]],
    [[["group", "g"]], [["producer_byte_rate", 1]]],
    [
      [
        ["user", user],
        ["ip", "127.0.0.1"],
      ],
      [["producer_byte_rate", 1]],
    ],
    [[["user", user]], [["no_such_rate", 1]]],
    [[["user", user]], [["connection_creation_rate", 1]]],
    [[["ip", "127.0.0.1"]], [["producer_byte_rate", 1]]],
    [[["user", user]], [["producer_byte_rate", 0]]],
    [[["user", user]], [["producer_byte_rate", -5]]],
    [[["user", user]], [["producer_byte_rate", 1.5]]],
    [[["ip", "127.0.0.1"]], [["connection_creation_rate", 3_000_000_000]]],
  ]
  for (const entry of refused) await alter(side, [entry])
  await alter(side, [refused[0]!, [[["client-id", client]], [["request_percentage", 5]]]])
  await find(side, [["client-id", EXACT!, client]])
  await alter(side, [[[["client-id", client]], [["request_percentage", null]]]])
})

compare("filters that make no sense are refused", async (side) => {
  await find(side, [["", EXACT!, "a"]])
  await find(side, [["group", EXACT!, "a"]])
  await find(side, [
    ["user", EXACT!, "a"],
    ["user", ANY!, null],
  ])
  await find(side, [["user", EXACT!, null]])
  await find(side, [["user", DEFAULT!, "a"]])
  await find(side, [["user", ANY!, "a"]])
  await find(side, [["user", 7, null]])
  await find(side, [
    ["ip", ANY!, null],
    ["user", ANY!, null],
  ])
})
