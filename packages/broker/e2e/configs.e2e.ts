/** Settings of topics and brokers, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { AlterConfigs } from "@millrace/protocol/messages/alter-configs"
import { CreatePartitions } from "@millrace/protocol/messages/create-partitions"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { ListConfigResources } from "@millrace/protocol/messages/list-config-resources"
import { create, versionsOf } from "./broker-topics.ts"
import { expect, test } from "vitest"
import { disagreements, NOT_SHARED, withoutDefaults } from "./differences.ts"
import { compare, differs, group, oracle, played } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle()

const [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS] = [2, 4, 8, 16] as const
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const

/** All settings of a resource that both have, in the order of their names. */
async function described(side: Side, resourceType: number, resourceName: string, version = 4) {
  const { results } = await side.askSilently(DescribeConfigs, version, {
    resources: [{ resourceType, resourceName, configurationKeys: null }],
    ...{ includeSynonyms: true, includeDocumentation: true },
  } as never)
  return results[0]!.configs
    .filter(({ name }) => !NOT_SHARED.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ documentation, synonyms, ...config }) => ({
      ...config,
      synonyms: withoutDefaults(synonyms),
      isDocumented: Boolean(documentation),
    }))
}

compare("8: all settings of a topic, with their sources and synonyms", async (side) => {
  const name = group("described")
  await create(side, name, 1, { "cleanup.policy": "compact", "retention.ms": "5000" })
  for (const version of [4]) side.note(`v${version}`, await described(side, TOPIC, name, version))
})

/** Settings of brokers that both have, and that are not what they are in Kafka. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "group.consumer.assignment.interval.ms": "Assignments are computed at once, so there is nothing to set.",
  "log.cleaner.io.max.bytes.per.second": "A number is written as JavaScript writes it: e+308 rather than E308.",
  "log.dir": "The data directory is given at the start, and no setting.",
  "queued.max.request.bytes": "Kafka sets no bound.",
  "sasl.enabled.mechanisms": "There is no GSSAPI: what is not set up is not on.",
  "sasl.oauthbearer.expected.audience": "No audience is null, rather than an empty list.",
}
/** Read when the broker starts, while Kafka may change them later: its threads, and what TLS and SASL are set up with. */
const READ_AT_START = /^(ssl\.|sasl\.|background\.threads$|log\.cleaner\.threads$|num\..*(threads|fetchers))/

test("8: all settings of a broker that both have by default", async () => {
  const [ours, kafkas] = await played(async (side) => {
    const configs = await described(side, BROKER, "1")
    const defaults = configs.filter(({ name, configSource }) => configSource === 5 && !Object.hasOwn(DIFFERENT, name))
    return new Map(
      defaults.map(({ name, value, configType, readOnly, isSensitive }) => {
        const isPem = name.startsWith("ssl.")
        // Where it is not PEM that counts a certificate is a file's name to Kafka, and PEM is what we take.
        return [name, isPem ? {} : { value, configType, isSensitive, readOnly: READ_AT_START.test(name) || readOnly }]
      }),
    )
  })
  const both = [...ours!.keys()].filter((name) => kafkas!.has(name))
  expect(both.length).toBeGreaterThan(100)
  expect(both.flatMap((name) => disagreements(ours!.get(name), kafkas!.get(name), name))).toEqual([])
})

differs(
  "Kafka takes settings of brokers that it does not know; ours takes them for typing errors",
  async (side) => {
    const { responses } = await side.askSilently(IncrementalAlterConfigs, 1, {
      resources: [
        {
          ...{ resourceType: BROKER, resourceName: "1" },
          configs: [{ name: "no.such.config", configOperation: SET, value: "1" }],
        },
      ],
      validateOnly: true,
    })
    return responses[0]!.errorCode
  },
  { ours: 40, kafkas: 0 },
)

differs(
  "Kafka fails without a name on an operation that there is not",
  async (side) => {
    const name = group("operation")
    await create(side, name)
    const { responses } = await side.askSilently(IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: name,
          configs: [{ name: "retention.ms", configOperation: 4, value: "1" }],
        },
      ],
      validateOnly: true,
    })
    return responses[0]!.errorCode
  },
  { ours: 42, kafkas: -1 },
)

compare("all versions of DescribeConfigs", async (side) => {
  const name = group("described-versions")
  await create(side, name)
  const keys = ["retention.ms", "cleanup.policy", "no.such.config"]
  for (const version of versionsOf(DescribeConfigs)) {
    const ask = (resources: readonly (readonly [number, string, readonly string[] | null])[], options: object = {}) =>
      side.tell(DescribeConfigs, version, {
        resources: resources.map(([resourceType, resourceName, configurationKeys]) => ({
          ...{ resourceType, resourceName, configurationKeys },
        })),
        ...options,
      } as never)
    await ask([[TOPIC, name, keys]])
    await ask([[TOPIC, name, keys]], { includeSynonyms: true })
    if (version >= 3) await ask([[TOPIC, name, keys]], { includeDocumentation: true })
    await ask([[TOPIC, name, ["no.such.config"]]])
    await ask([])
    for (const bad of [group("absent"), "", "a b", "x".repeat(250)]) await ask([[TOPIC, bad, keys]])
    for (const broker of ["99", "x", "-1"]) await ask([[BROKER, broker, ["log.retention.ms"]]])
    await ask([[BROKER, "1", ["log.retention.bytes", "message.max.bytes"]]], {
      includeSynonyms: true,
    })
    await ask([[BROKER, "", ["log.retention.bytes"]]], { includeSynonyms: true })
    for (const type of [0, 1, 3, 64, -1]) await ask([[type, name, keys]])
    await ask([[BROKER_LOGGER, "99", keys]])
    await ask([[CLIENT_METRICS, name, keys]])
    await ask([
      [TOPIC, name, ["retention.ms"]],
      [TOPIC, group("absent"), keys],
      [TOPIC, name, ["cleanup.policy"]],
    ])
  }
})

/** Reads until a topic's setting is what it was changed to: a broker of Kafka's hears of it a moment later. */
async function settled(side: Side, name: string, config: string, value: string): Promise<void> {
  for (;;) {
    const { results } = await side.askSilently(DescribeConfigs, 4, {
      resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: [config] }],
    })
    if (results[0]!.configs[0]!.value === value) return
  }
}

compare("9: all versions of IncrementalAlterConfigs", async (side) => {
  for (const version of versionsOf(IncrementalAlterConfigs)) {
    const name = group(`incremental-${version}`)
    await create(side, name)
    const alter = (changes: readonly (readonly [string, number, string | null])[], options: object = {}) =>
      side.tell(IncrementalAlterConfigs, version, {
        resources: [
          {
            ...{ resourceType: TOPIC, resourceName: name },
            configs: changes.map(([config, configOperation, value]) => ({ name: config, configOperation, value })),
            ...options,
          },
        ],
        validateOnly: false,
      } as never)
    await alter([["cleanup.policy", APPEND, "compact"]])
    await settled(side, name, "cleanup.policy", "delete,compact")
    await alter([["cleanup.policy", APPEND, "compact"]])
    await alter([["cleanup.policy", SUBTRACT, "delete"]])
    await settled(side, name, "cleanup.policy", "compact")
    await alter([["cleanup.policy", SUBTRACT, "delete"]])
    await alter([["cleanup.policy", DELETE, null]])
    await settled(side, name, "cleanup.policy", "delete")
    await alter([
      ["retention.ms", SET, "1000"],
      ["max.message.bytes", SET, "2000"],
    ])
    await settled(side, name, "max.message.bytes", "2000")
    side.note(
      "settings",
      (await described(side, TOPIC, name)).filter(({ configSource }) => configSource === 1),
    )
    const refused: [string, number, string | null][] = [
      ["retention.ms", APPEND, "5"],
      ["retention.ms", SUBTRACT, "5"],
      ["retention.ms", SET, null],
      ["retention.ms", SET, "soon"],
      ["retention.ms", SET, "-2"],
      ["no.such.config", SET, "1"],
      ["no.such.config", DELETE, null],
      ["", SET, "1"],
      ["cleanup.policy", APPEND, "nothing"],
      ["cleanup.policy", SET, "nothing"],
      ["compression.type", SET, "rar"],
      ["max.message.bytes", SET, "-1"],
      ["min.insync.replicas", SET, "0"],
    ]
    for (const change of refused) await alter([change])
    await alter([
      ["min.compaction.lag.ms", SET, "10"],
      ["max.compaction.lag.ms", SET, "5"],
    ])
    await alter([["max.compaction.lag.ms", SET, "5"]])
    await alter([["min.compaction.lag.ms", SET, "6"]])
    await alter([
      ["retention.ms", SET, "1"],
      ["retention.ms", SET, "2"],
    ])
    await alter([])
    await alter([["retention.ms", SET, "1"]], { resourceName: group("absent") })
    await alter([["retention.ms", SET, "1"]], { resourceName: "" })
    await alter([["retention.ms", SET, "1"]], { resourceName: "a b" })
    for (const resourceType of [0, 1, 3, -1]) await alter([["retention.ms", SET, "1"]], { resourceType })
    const broker = (changes: readonly (readonly [string, number, string | null])[], resourceName: string) =>
      alter(changes, { resourceType: BROKER, resourceName })
    await broker([["node.id", SET, "5"]], "1")
    await broker([["log.retention.ms", SET, "soon"]], "1")
    await broker([["background.threads", SET, "0"]], "")
    for (const bad of ["99", "x", "-1"]) await broker([["log.retention.ms", SET, "5"]], bad)
    await side.tell(IncrementalAlterConfigs, version, { resources: [], validateOnly: false } as never)
    const twice = {
      resourceType: TOPIC,
      resourceName: name,
      configs: [{ name: "retention.ms", configOperation: SET, value: "1" }],
    }
    await side.tell(IncrementalAlterConfigs, version, { resources: [twice, twice], validateOnly: true } as never)
  }
})

compare("all versions of AlterConfigs", async (side) => {
  for (const version of versionsOf(AlterConfigs)) {
    const name = group(`replace-${version}`)
    await create(side, name, 1, { "retention.ms": "1000" })
    const alter = (
      configs: readonly (readonly [string, string | null])[],
      options: object = {},
      validateOnly = false,
    ) =>
      side.tell(AlterConfigs, version, {
        resources: [
          {
            ...{ resourceType: TOPIC, resourceName: name },
            configs: configs.map(([config, value]) => ({ name: config, value })),
            ...options,
          },
        ],
        validateOnly,
      } as never)
    await alter([["max.message.bytes", "5000"]], {}, true)
    await alter([["max.message.bytes", "2000"]])
    await settled(side, name, "max.message.bytes", "2000")
    await settled(side, name, "retention.ms", "604800000")
    await alter([["retention.ms", "soon"]])
    await alter([["retention.ms", null]])
    await alter([["no.such.config", "1"]])
    await alter(
      [
        ["retention.ms", "1"],
        ["retention.ms", "2"],
      ],
      {},
      true,
    )
    await alter([["retention.ms", "1"]], { resourceName: group("absent") })
    for (const resourceType of [0, 1, 3]) await alter([["retention.ms", "1"]], { resourceType })
    await alter([])
    await settled(side, name, "max.message.bytes", "1048588")
  }
})

compare("10: all versions of CreatePartitions", async (side) => {
  for (const version of versionsOf(CreatePartitions)) {
    const [one, two] = [group(`grow-${version}-a`), group(`grow-${version}-b`)]
    for (const name of [one, two]) await create(side, name, 2)
    const ask = (
      topics: readonly (readonly [string, number, readonly (readonly number[])[] | null])[],
      validateOnly = false,
    ) =>
      side.tell(CreatePartitions, version, {
        topics: topics.map(([name, count, assignments]) => ({
          ...{ name, count },
          assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
        })),
        ...{ timeoutMs: 10_000, validateOnly },
      } as never)
    await ask([[one, 4, null]], true)
    await ask([
      [one, 3, null],
      [two, 5, null],
    ])
    for (const count of [3, 2, 1, 0, -1]) await ask([[one, count, null]])
    await ask([[one, 4, [[1]]]], true)
    await ask([[one, 5, [[1]]]])
    await ask([[one, 4, [[99]]]])
    await ask([[one, 4, [[1, 1]]]])
    await ask([[one, 4, [[]]]])
    await ask([[one, 4, []]], true)
    await ask([
      [one, 4, null],
      [one, 5, null],
    ])
    await ask([[group("absent"), 4, null]])
    for (const bad of ["", "a b"]) await ask([[bad, 4, null]])
    await ask([])
  }
})

compare("all versions of ListConfigResources", async (side) => {
  const name = group("listed")
  await create(side, name, 1, { "retention.ms": "5" })
  const found = async (version: number, resourceTypes: number[]) => {
    const answer = await side.askSilently(
      ListConfigResources,
      version,
      (version >= 1 ? { resourceTypes } : {}) as never,
    )
    const mine = answer.configResources.filter(
      ({ resourceName, resourceType }) => resourceName === name || (resourceType !== TOPIC && resourceType !== 32),
    )
    side.note("resources", [
      version,
      resourceTypes,
      answer.errorCode,
      mine.sort((a, b) => a.resourceType - b.resourceType),
    ])
  }
  await found(0, [])
  for (const types of [
    [],
    [TOPIC],
    [BROKER],
    [BROKER_LOGGER],
    [CLIENT_METRICS],
    [32],
    [0],
    [64],
    [TOPIC, BROKER],
    [TOPIC, TOPIC],
  ]) {
    await found(1, types)
  }
})
