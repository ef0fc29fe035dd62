/** Settings of groups, beside a real Apache Kafka. */
import { AlterConfigs } from "@millrace/protocol/messages/alter-configs"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { ListConfigResources } from "@millrace/protocol/messages/list-config-resources"
import { compare, group, oracle } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle()

const GROUP = 32
const [SET, DELETE, APPEND] = [0, 1, 2]
const SERVED = [
  "consumer.session.timeout.ms",
  "consumer.heartbeat.interval.ms",
  "streams.session.timeout.ms",
  "streams.heartbeat.interval.ms",
  "streams.num.standby.replicas",
]

function alter(side: Side, name: string, changes: readonly [string, number, string | null][], validateOnly = false) {
  const configs = changes.map(([config, configOperation, value]) => ({ name: config, configOperation, value }))
  const resources = [{ resourceType: GROUP, resourceName: name, configs }]
  return side.ask(IncrementalAlterConfigs, 1, { resources, validateOnly })
}

/** Asks until a setting is what it was set to: Kafka's broker hears of a change after its controller has answered. */
function describe(side: Side, resourceName: string, name: string, value: string) {
  const resources = [{ resourceType: GROUP, resourceName, configurationKeys: SERVED }]
  const request = { resources, includeSynonyms: true, includeDocumentation: false }
  return side.ask(DescribeConfigs, 4, request, ({ results }) => {
    const found = results[0]!.configs.find((config) => config.name === name)
    return found?.value !== value
  })
}

async function listed(side: Side, groupId: string) {
  const { configResources } = await side.askSilently(ListConfigResources, 1, { resourceTypes: [GROUP] })
  side.note(
    "listed",
    configResources.filter(({ resourceName }) => resourceName === groupId),
  )
}

compare("95: settings of a group are set, described, replaced and deleted", async (side) => {
  const groupId = group("configs")
  await describe(side, groupId, "consumer.session.timeout.ms", "45000")
  await alter(side, groupId, [["consumer.session.timeout.ms", SET, "50000"]], true)
  await listed(side, groupId)
  await alter(side, groupId, [
    ["consumer.session.timeout.ms", SET, "50000"],
    ["streams.num.standby.replicas", SET, "1"],
  ])
  await describe(side, groupId, "streams.num.standby.replicas", "1")
  await listed(side, groupId)
  const configs = [{ name: "consumer.heartbeat.interval.ms", value: "7000" }]
  await side.ask(AlterConfigs, 2, {
    resources: [{ resourceType: GROUP, resourceName: groupId, configs }],
    validateOnly: false,
  })
  await describe(side, groupId, "consumer.heartbeat.interval.ms", "7000")
  await alter(side, groupId, [["consumer.heartbeat.interval.ms", DELETE, null]])
  await describe(side, groupId, "consumer.heartbeat.interval.ms", "5000")
  await listed(side, groupId)
})

compare("95: settings of a group that are refused", async (side) => {
  const groupId = group("refused-configs")
  const refused: [string, number, string | null][] = [
    ["consumer.session.timeout.ms", SET, "44999"],
    ["consumer.session.timeout.ms", SET, "60001"],
    ["consumer.session.timeout.ms", SET, "soon"],
    ["consumer.session.timeout.ms", SET, null],
    ["consumer.session.timeout.ms", APPEND, "50000"],
    ["consumer.heartbeat.interval.ms", SET, "4999"],
    ["consumer.heartbeat.interval.ms", SET, "15001"],
    ["streams.session.timeout.ms", SET, "60001"],
    ["streams.heartbeat.interval.ms", SET, "1"],
    ["streams.num.standby.replicas", SET, "3"],
    ["streams.num.standby.replicas", SET, "-1"],
    ["streams.task.offset.interval.ms", SET, "14999"],
    ["streams.acceptable.recovery.lag", SET, "-1"],
    ["session.timeout.ms", SET, "50000"],
    ["session.timeout.ms", DELETE, null],
  ]
  for (const change of refused) await alter(side, groupId, [change])
  await alter(side, groupId, [
    ["consumer.session.timeout.ms", SET, "50000"],
    ["consumer.session.timeout.ms", SET, "50001"],
  ])
  await alter(side, "", [["consumer.session.timeout.ms", SET, "50000"]])
  await side.ask(DescribeConfigs, 4, {
    resources: [{ resourceType: GROUP, resourceName: "", configurationKeys: null }],
  })
  await listed(side, groupId)
})
