/** Quotas on the real command: what is set counts, is listed, and is gone once deleted. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { killServers, millrace, scratchDirectory, serve, type Serving } from "./support/process.ts"

const scratch = scratchDirectory()
let broker: Serving

beforeAll(async () => {
  broker = await serve(["broker", "--data", `${scratch.path}/data`, "--listen", "127.0.0.1:0"])
})

afterAll(() => {
  killServers()
  scratch.remove()
})

const run = (args: string) => millrace([...args.split(" "), "--brokers", broker.ready["kafka"]!])

async function works(args: string): Promise<string> {
  const ended = await run(args)
  expect(ended.code, ended.stderr).toBe(0)
  return ended.stdout
}

it("are set, listed and deleted, each of whom the options name", async () => {
  expect(await works("quota list")).toBe("no quotas\n")
  expect(await works("quota set --client reports consumer_byte_rate=1000000 request_percentage=12.5")).toBe(
    "set consumer_byte_rate of client reports to 1000000\nset request_percentage of client reports to 12.5\n",
  )
  await works("quota set --user alice --client reports producer_byte_rate=2000")
  await works("quota set --user-defaults controller_mutation_rate=3")
  await works("quota set --ip 10.0.0.7 connection_creation_rate=5")
  expect((await works("quota list")).split("\n").map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["USER", "CLIENT ID", "IP", "QUOTA", "VALUE"],
    ["-", "-", "10.0.0.7", "connection_creation_rate", "5"],
    ["-", "reports", "-", "consumer_byte_rate", "1000000"],
    ["-", "reports", "-", "request_percentage", "12.5"],
    ["<default>", "-", "-", "controller_mutation_rate", "3"],
    ["alice", "reports", "-", "producer_byte_rate", "2000"],
    [""],
  ])
  expect(JSON.parse(await works("quota list --user-defaults --json"))).toEqual([
    { entity: { user: null }, quotas: { controller_mutation_rate: 3 } },
  ])
  expect(await works("quota list --user alice")).toMatch(/^[^\n]+\nalice +reports +- +producer_byte_rate +2000\n$/)
  expect(await works("quota delete --client reports consumer_byte_rate")).toBe(
    "deleted consumer_byte_rate of client reports\n",
  )
  expect(await works("quota delete --client reports")).toBe("deleted request_percentage of client reports\n")
  // Of another entity, though it has the same client id.
  expect(await works("quota list --client reports")).toMatch(/alice/)
  await works("quota delete --user alice --client reports")
  await works("quota delete --user-defaults")
  await works("quota delete --ip 10.0.0.7")
  expect(await works("quota list")).toBe("no quotas\n")
})

it.each([
  ["quota set consumer_byte_rate=1", /quota set needs whose quotas: --user, --client, --ip/, 2],
  ["quota set --client c", /needs KEY=VALUE/, 2],
  ["quota set --client c consumer_byte_rate", /consumer_byte_rate: expected a quota and a number/, 2],
  ["quota set --client c consumer_byte_rate=1M", /consumer_byte_rate=1M: expected a quota and a number/, 2],
  ["quota set --client c request_percentage=1 request_percentage=2", /request_percentage is 1 already/, 2],
  ["quota set --client c consumer_rate=1", /Invalid configuration key consumer_rate; there are producer_byte_rate/, 1],
  ["quota set --ip 10.0.0.7 consumer_byte_rate=1", /there are connection_creation_rate/, 1],
  ["quota set --ip here connection_creation_rate=1", /here is not a valid IP address/, 1],
  ["quota set --client c consumer_byte_rate=0", /must be greater than 0/, 1],
  [
    "quota set --client c --client-defaults consumer_byte_rate=1",
    /--client c and --client-defaults are not the same/,
    2,
  ],
  ["quota set --ip 10.0.0.7 --user u connection_creation_rate=1", /an address has quotas of its own/, 2],
  ["quota set --user User:u consumer_byte_rate=1", /expected a name without its type: u/, 2],
  ["quota delete --client nobody", /there is no quota of client nobody; see: millrace quota list/, 1],
  ["quota delete", /quota delete needs whose quotas/, 2],
])("%s is refused in one line", async (args, line, code) => {
  const ended = await run(args)
  expect(ended).toMatchObject({ code, stdout: "" })
  expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(ended.stderr).toMatch(line)
})
