/** Users and access rules on the real command, of a broker that lets nobody do what no rule allows. */
import { writeFileSync } from "node:fs"
import { afterAll, beforeAll, expect, it } from "vitest"
import {
  atTerminal,
  hasTerminals,
  killServers,
  millrace,
  scratchDirectory,
  serve,
  type Serving,
} from "./support/process.ts"

const scratch = scratchDirectory()
let broker: Serving

const file = (name: string, lines: readonly string[]): string => {
  writeFileSync(`${scratch.path}/${name}`, `${lines.join("\n")}\n`)
  return `${scratch.path}/${name}`
}

const login = (name: string, mechanism: string, user: string, password: string): string =>
  file(`${name}.properties`, [
    "security.protocol=SASL_PLAINTEXT",
    `sasl.mechanism=${mechanism}`,
    `sasl.jaas.config=LoginModule required username="${user}" password="${password}";`,
  ])

beforeAll(async () => {
  const config = file("broker.properties", [
    "listeners=SASL_PLAINTEXT://127.0.0.1:0",
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    'listener.name.sasl_plaintext.plain.sasl.jaas.config=PlainLoginModule required user_admin="secret";',
    "authorizer.class.name=rules",
    "super.users=User:admin",
  ])
  broker = await serve(["broker", "--data", `${scratch.path}/data`, "--config", config])
  login("admin", "PLAIN", "admin", "secret")
})

afterAll(() => {
  killServers()
  scratch.remove()
})

const words = (args: string, as = "admin"): string[] => [
  ...args.split(" "),
  ...["--brokers", broker.ready["kafka"]!, "--command-config", `${scratch.path}/${as}.properties`],
]

/** As the administrator. */
const run = (args: string, input?: string, as?: string) =>
  millrace(words(args, as), input === undefined ? {} : { input })

async function works(args: string, input?: string, as = "admin"): Promise<string> {
  const ended = await run(args, input, as)
  expect(ended.code, ended.stderr).toBe(0)
  return ended.stdout
}

async function fails(args: string, line: RegExp, code = 1, input?: string): Promise<void> {
  const ended = await run(args, input)
  expect(ended).toMatchObject({ code, stdout: "" })
  expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(ended.stderr).toMatch(line)
}

it("a user gets a password from standard input, comes in with it, and is gone once deleted", async () => {
  expect(await works("user list")).toBe("no users\n")
  expect(await works("user set alice", "it is secret\nmore\n")).toBe("set alice SCRAM-SHA-512\n")
  await works("user set alice --mechanism scram-sha-256 --iterations 8192", "it is secret")
  expect(await works("user list")).toMatch(
    /^USER +MECHANISM +ITERATIONS\nalice +SCRAM-SHA-256 +8192\nalice +SCRAM-SHA-512 +4096\n$/,
  )
  expect(JSON.parse(await works("user list alice --json"))).toMatchObject([{ user: "alice" }])
  for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"]) {
    login("alice", mechanism, "alice", "it is secret")
    expect(await works("topic list", undefined, "alice")).toBe("no topics\n")
  }
  expect(await works("user delete alice --mechanism SCRAM-SHA-256")).toBe("deleted alice\n")
  await fails("user delete alice --mechanism SCRAM-SHA-256", /no user alice with SCRAM-SHA-256/)
  expect(await works("user delete alice")).toBe("deleted alice\n")
  expect((await run("topic list", undefined, "alice")).code).toBe(1)
  await fails("user delete alice", /there is no user alice/)
  await fails("user set alice", /no password on standard input/, 1, "\n")
  await fails("user set alice --mechanism PLAIN", /expected SCRAM-SHA-256 or SCRAM-SHA-512/, 2, "x")
  await fails("user set alice --iterations 100", /expected a whole number from 4096 to 16384/, 2, "x")
})

it("a password is read from a pipe that its writer keeps open", async () => {
  const ended = await millrace(words("user set dave"), { input: "secret\nmore", keepsInputOpen: true })
  expect(ended).toEqual({ code: 0, stdout: "set dave SCRAM-SHA-512\n", stderr: "" })
  await works("user delete dave")
})

it.runIf(hasTerminals)("a terminal does not show the password that is typed; Ctrl-C sets none", async () => {
  const prompt = "password of carol:"
  expect(await atTerminal(words("user set carol"), prompt, "\u0003")).toEqual({ code: 130, shown: `${prompt} \r\n` })
  expect(await works("user list")).toBe("no users\n")
  expect(await atTerminal(words("user set carol"), prompt, "it is secres\u007ft\r")).toEqual({
    code: 0,
    shown: `${prompt} \r\nset carol SCRAM-SHA-512\r\n`,
  })
  login("carol", "SCRAM-SHA-512", "carol", "it is secret")
  await works("topic list", undefined, "carol")
  await works("user delete carol")
})

it("rules are added, listed and deleted, and say what a user may do", async () => {
  await works("topic create orders")
  await works("user set bob", "secret")
  login("bob", "SCRAM-SHA-512", "bob", "secret")
  expect(await works("topic list", undefined, "bob")).toBe("no topics\n")
  expect(await works("acl list")).toBe("no rules\n")
  expect(await works("acl add --principal User:bob --operation describe --operation read --topic orders")).toBe(
    "added: allow User:bob describe topic orders\nadded: allow User:bob read topic orders\n",
  )
  expect(await works("topic list", undefined, "bob")).toMatch(/orders/)
  await works("acl add --principal User:* --operation write --topic-prefix orders. --from-host 10.0.0.1 --deny")
  await works("acl add --principal User:bob --operation all --cluster")
  expect(await works("acl add --principal User:v6 --operation read --group g* --from-host 0:0::1")).toBe(
    "added: allow User:v6 read group g* from ::1\n",
  )
  await works("acl delete --principal User:v6")
  const table = await works("acl list")
  expect(table).toMatch(/^RESOURCE +NAME +PATTERN +PRINCIPAL +HOST +OPERATION +PERMISSION\n/)
  expect(table).toMatch(/topic +orders\. +prefixed +User:\* +10\.0\.0\.1 +write +deny/)
  expect(table).toMatch(/cluster +kafka-cluster +literal +User:bob +\* +all +allow/)
  expect(JSON.parse(await works("acl list --topic orders --operation read --json"))).toEqual([
    {
      ...{ resourceType: "TOPIC", resourceName: "orders", patternType: "LITERAL", principal: "User:bob", host: "*" },
      ...{ operation: "READ", permission: "ALLOW" },
    },
  ])
  await works("acl add --principal User:eve --operation read --topic orders --deny")
  expect(await works("acl list --topic orders --deny")).toMatch(/^RESOURCE[^\n]+\ntopic +orders [^\n]+ deny\n$/)
  expect(await works("acl list --topic orders --allow")).not.toMatch(/deny/)
  expect(await works("acl list --topic orders --allow --deny")).toBe(await works("acl list --topic orders"))
  await fails(
    "acl delete --topic orders --operation read",
    /: rules that allow and rules that deny match: (?=.*allow User:bob read)(?=.*deny User:eve read).*; say --allow, --deny or both/,
  )
  expect((await works("acl list --topic orders")).split("\n")).toHaveLength(5)
  expect(await works("acl delete --topic orders --allow")).toMatch(
    /^(deleted: allow User:bob (read|describe) topic orders\n){2}$/,
  )
  expect(await works("acl delete --topic orders")).toBe("deleted: deny User:eve read topic orders\n")
  await works("acl add --principal User:eve --operation read --topic orders --deny")
  await works("acl add --principal User:eve --operation read --topic orders")
  expect(await works("acl delete --topic orders --deny")).toBe("deleted: deny User:eve read topic orders\n")
  await works("acl add --principal User:eve --operation read --topic orders --deny")
  expect(await works("acl delete --principal User:eve --allow --deny")).toMatch(
    /^(deleted: (allow|deny) User:eve read topic orders\n){2}$/,
  )
  expect(await works("acl delete --principal User:bob")).toBe("deleted: allow User:bob all cluster kafka-cluster\n")
  expect(await works("acl delete --topic-prefix orders.")).toBe(
    "deleted: deny User:* write topic orders.… from 10.0.0.1\n",
  )
  expect(await works("topic list", undefined, "bob")).toBe("no topics\n")
})

it.each([
  ["acl delete", /needs what the rules are about or whom they are for/, 2],
  ["acl delete --operation read", /needs what the rules are about or whom they are for/, 2],
  ["acl delete --operation read --from-host * --deny", /needs what the rules are about or whom they are for/, 2],
  ["acl delete --topic nowhere", /there is no such rule/, 1],
  ["acl add --principal User:a --operation read", /needs what the rule is about/, 2],
  ["acl add --principal User:a --topic t", /needs --operation/, 2],
  ["acl add --operation read --topic t", /needs --principal/, 2],
  ["acl add --principal User:a --operation reed --topic t", /--operation reed: expected all, read/, 2],
  [
    "acl add --principal alice --operation read --topic t",
    /--principal alice: expected User:NAME, such as User:alice/,
    2,
  ],
  ["acl add --principal user:bob --operation read --topic t", /user:bob: expected User:NAME, such as User:bob/, 2],
  ["acl add --principal Group:ops --operation read --topic t", /--principal Group:ops: expected User:NAME/, 2],
  ["acl add --principal User: --operation read --topic t", /--principal User:: expected User:NAME/, 2],
  [
    "acl add --principal User:a --operation read --topic t --from-host 127.0.0.0/8",
    /--from-host 127\.0\.0\.0\/8: expected one IP/,
    2,
  ],
  ["acl add --principal User:a --operation read --topic x*", /x\*.*did you mean --topic-prefix x\?/, 2],
  ["acl add --principal User:a --operation read --topic a/b", /--topic a\/b: a topic name must consist of/, 2],
  [
    "acl add --principal User:a --operation read --topic-prefix *",
    /--topic-prefix \*: .*did you mean --topic "\*"\?/,
    2,
  ],
  ["acl add --principal User:a --operation read --topic-prefix x.*", /did you mean --topic-prefix x\.\?/, 2],
  [
    "acl add --principal User:a --operation cluster_action --topic t",
    /cluster_action does not exist for a topic: expected all, read/,
    2,
  ],
  ["acl add --principal User:a --operation read --cluster", /read does not exist for a cluster/, 2],
  [
    "acl add --principal User:a --operation create_tokens --user bob",
    /--user bob: expected User:NAME, such as User:bob/,
    2,
  ],
  ["user set User:carol", /expected a name without its type: carol/, 2],
])("%s is refused in one line", (args, line, code) => fails(args, line, code))
