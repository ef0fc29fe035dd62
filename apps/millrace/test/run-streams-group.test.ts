/** `millrace run --group-protocol streams`, what it leaves behind when it remains in the group, and what `group describe` shows of it. */
import { afterAll, expect, it } from "vitest"
import { killServers, millrace, PIPELINES, scratchDirectory, serve } from "./support/process.ts"

const scratch = scratchDirectory()

afterAll(() => {
  killServers()
  scratch.remove()
})

it("has the broker assign the tasks of a streams group, shows who has which, and keeps them for who is to come back", async () => {
  const broker = await serve(["broker", "--data", `${scratch.path}/data`, "--listen", "127.0.0.1:0"])
  const brokers = ["--brokers", broker.ready["kafka"]!]
  const staying = ["--set", "leave.group.on.close=false"]
  const how = [
    ...staying,
    "--create-topics",
    "2",
    "--group-protocol",
    "streams",
    "--json",
    "--state",
    `${scratch.path}/state`,
  ]
  const running = await serve(["run", `${PIPELINES}/words.ts`, ...brokers, ...how])
  // One that is waited for: without its tasks the group is not stable.
  let group = ""
  while (!/^words {2}state Stable {2}type streams\n/.test(group))
    group = (await millrace(["group", "describe", "words", ...brokers])).stdout
  expect(group).toMatch(/\nwords-\S+-0 +words-\S+ +\S+ +0_0 0_1 1_0 1_1 *\n/)
  expect((await millrace(["group", "list", ...brokers])).stdout).toMatch(/^words +Stable +streams +streams$/m)
  const described = JSON.parse((await millrace(["group", "describe", "words", "--json", ...brokers])).stdout)
  expect(described).toMatchObject({ state: "Stable", protocolType: "streams", members: [{ tasks: { standby: [] } }] })
  expect((await running.stop()).code).toBe(0)
  const left = JSON.parse((await millrace(["group", "describe", "words", "--json", ...brokers])).stdout)
  expect(left.members.map((member: { memberId: string }) => member.memberId)).toEqual([described.members[0].memberId])
})
