import { json, string } from "@millrace/schema"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { expect, test } from "vitest"
import { ScriptedBroker } from "../../../client/test/support/scripted-broker.ts"
import * as S from "../../src/index.ts"
import { nodeHost } from "@millrace/host/node"

const pipeline = S.pipeline("app", () =>
  S.stream(S.topic("in", { key: string, value: string })).pipe(
    S.map((word) => word.length),
    S.to(S.topic("out", { key: string, value: json<number>() })),
  ),
)

test.each<[string, (broker: ScriptedBroker) => void, RegExp]>([
  [
    "knows no streams groups",
    (broker) => {
      const usual = broker.handlers.get("ApiVersions")!
      broker.handlers.set("ApiVersions", (body, version) => {
        const answer = usual(body, version) as { apiKeys: { apiKey: number }[] }
        return { ...answer, apiKeys: answer.apiKeys.filter(({ apiKey }) => apiKey !== 88) }
      })
    },
    /groupProtocol "streams" needs a cluster that serves streams groups.*came with Kafka 4\.2: take groupProtocol "classic"/,
  ],
  [
    "has them switched off",
    () => {},
    /application "app": groupProtocol "streams".*streams\.version is off.*upgrade --feature streams\.version=1/,
  ],
])("R8: a cluster that %s is told with the option and what to do", async (_, arrange, message) => {
  const broker = new ScriptedBroker()
  arrange(broker)
  await (await broker.client()).close()
  const options = { host: nodeHost, net: broker.net, brokers: "broker:9092", engines: new MemoryEngines() }
  await expect(S.run(pipeline, { ...options, groupProtocol: "streams" })).rejects.toThrow(message)
  expect(broker.log.filter(({ api }) => api !== "ApiVersions" && api !== "Metadata")).toEqual([])
})
