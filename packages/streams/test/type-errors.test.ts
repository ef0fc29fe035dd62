/**
 * What the compiler says of a pipeline that is written wrongly: one error, at the place that is wrong. A second one about
 * the pipe as a whole, or one that blames an overload that was not meant, would lead a reader away from it.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { expect, test } from "vitest"

const ROOT = path.resolve(import.meta.dirname, "../../..")

const BEFORE = `import { json, string } from "@millrace/schema"
import { nodeHost } from "@millrace/host/node"
import { Context, Effect } from "effect"
import * as S from "@millrace/streams"

type Order = { id: string; customer: string; amount: number; at: string }
const Orders = S.topic("orders", { key: string, value: json<Order>() })
const Customers = S.topic("customers", { key: string, value: json<{ tier: string }>() })
const Out = S.topic("out", { key: string, value: json<{ total: number }>() })
class Fraud extends Context.Service<Fraud, { score(n: number): Effect.Effect<number> }>()("Fraud") {}
const needy = S.pipeline("needy", () =>
  S.stream(Orders).pipe(
    S.mapEffect(({ amount }) => Effect.flatMap(Fraud, (fraud) => fraud.score(amount)), {
      concurrency: 1,
      timeout: "1 second",
    }),
    S.map((total) => ({ total })),
    S.to(Out),
  ),
)
const plain = S.pipeline("plain", () => S.stream(Orders).pipe(S.to(Orders)))
void [Customers, Fraud, Effect, nodeHost, needy, plain]
`

/** Within a pipeline, from orders to totals. */
const pipe = (...operators: readonly string[]): string =>
  `S.pipeline("p", () => S.stream(Orders).pipe(\n${operators.map((operator) => `  ${operator},\n`).join("")}))\n`
const totals = ["S.map((order) => ({ total: order.amount }))", "S.to(Out)"]
const counted = ["S.toStream()", "S.mapRecord(({ value }) => ({ key: '', value: { total: value } }))", "S.to(Out)"]

/** What is wrong is between ⟨ and ⟩, and the error begins there. */
const cases: readonly [name: string, code: string, error: RegExp][] = [
  ["a misspelt field", pipe("S.filter((order) => order.⟨amunt⟩ > 0)", ...totals), /Did you mean 'amount'\?$/],
  [
    "a sink of another type",
    pipe("S.map((order) => order.amount)", "⟨S.to(Out)⟩"),
    /'number'.* '\{ total: number; \}'/s,
  ],
  ["a topic of another type", pipe("⟨S.to(Out)⟩"), /Property 'total' is missing/],
  [
    "a time that is none",
    `S.stream(Orders, { ⟨timestamp⟩: (order) => order.at })\n`,
    /TimestampExtractor<string, Order>'\.\s+Type 'string' is not assignable to type 'number'\.$/,
  ],
  [
    "a misspelt field of a time",
    `S.stream(Orders, { timestamp: (order) => order.⟨amunt⟩ })\n`,
    /Did you mean 'amount'\?$/,
  ],
  [
    "a misspelt option of a source",
    `S.stream(Orders, { ⟨timestmp⟩: "wall-clock" })\n`,
    /Did you mean to write 'timestamp'\?$/,
  ],
  [
    "a misspelt field of an aggregate",
    pipe('S.aggregate("a", { init: () => 0, add: (sum, order) => sum + order.⟨amunt⟩ })', ...counted),
    /Did you mean 'amount'\?$/,
  ],
  [
    "sessions without merge",
    pipe('S.window(S.session("1 hour"))', 'S.aggregate("a", ⟨{ init: () => 0, add: (sum) => sum + 1 }⟩)', ...counted),
    /Property 'merge' is missing/,
  ],
  [
    "a callback forgotten for a stream",
    `S.cogroup("c", { a: S.stream(Orders), b: S.stream(Customers) }).pipe(
      S.aggregate("n", { init: () => 0, ⟨add⟩: { a: (sum, order) => sum + order.amount } }))\n`,
    /Property 'b' is missing/,
  ],
  ["no end", 'S.pipeline("p", () => ⟨S.stream(Orders)⟩)\n', /a pipeline returns what S\.to answers, or a table/],
  ["an end forgotten among several", 'S.pipeline("p", () => ⟨[S.stream(Orders)]⟩)\n', /a pipeline returns what S\.to/],
  [
    "a join by another key",
    pipe("⟨S.keyBy((order) => order.amount)⟩", 'S.joinTable("c", S.table(Customers), (order) => order)', ...totals),
    /Type 'number' is not assignable to type 'string'\.$/,
  ],
  [
    "a promise for an effect",
    pipe(
      'S.mapEffect((order) => ⟨fetch(order.id)⟩, { concurrency: 1, timeout: "1 second" })',
      "S.map(() => ({ total: 1 }))",
      "S.to(Out)",
    ),
    /Promise<Response>'.*Effect</,
  ],
  [
    "a key without canonical bytes",
    pipe("S.keyBy((order) => ⟨({ c: order.customer })⟩)", 'S.count("n")', ...counted),
    /CanonicalKey/,
  ],
  [
    "late records that the topic does not hold",
    pipe(
      "S.map((order) => order.amount)",
      "⟨S.window(S.tumbling(10, { lateTo: Orders }))⟩",
      'S.count("n")',
      ...counted,
    ),
    /'number' is not assignable to type 'Order'/,
  ],
  ["no unit of time", pipe('S.window(S.tumbling(⟨"1 minut"⟩))', 'S.count("n")', ...counted), /type 'Duration'\.$/],
  [
    "a misspelt option of a sink",
    pipe(totals[0]!, "S.to(Out, { ⟨partitoner⟩: () => 1 })"),
    /Did you mean to write 'partitioner'\?$/,
  ],
  [
    "a function around operators that is async",
    `S.pipeline("p", () => S.stream(Orders).pipe(S.to(Orders)), {
      ⟨wrap⟩: async (operator, record, run) => {
        await fetch(operator.name)
        run()
      },
    })\n`,
    /Promise<void>' is not assignable to type/,
  ],
  [
    "a misspelt option of a run",
    `void S.run(plain, { host: nodeHost, ⟨broker⟩: "b:1" })\n`,
    /Did you mean to write 'brokers'\?$/,
  ],
  [
    "services forgotten in a run",
    `void S.run(needy, ⟨{ host: nodeHost, brokers: "b:1" }⟩)\n`,
    /Property 'services' is missing/,
  ],
]

interface TypeError {
  readonly line: number
  readonly column: number
  message: string
}

/** By file. */
function compile(directory: string): Map<string, TypeError[]> {
  const errors = new Map<string, TypeError[]>()
  let printed = ""
  try {
    execFileSync(`${ROOT}/node_modules/.bin/tsc`, ["-p", directory, "--pretty", "false"], { stdio: "pipe" })
  } catch (failure) {
    printed = String((failure as { readonly stdout: Buffer }).stdout)
  }
  let last: TypeError | undefined
  for (const line of printed.trimEnd().split("\n")) {
    const found = /^.*?([\w-]+\.ts)\((\d+),(\d+)\): error TS\d+: (.*)$/.exec(line)
    if (found === null) {
      if (last !== undefined) last.message += `\n${line}`
      continue
    }
    last = { line: Number(found[2]), column: Number(found[3]), message: found[4]! }
    errors.set(found[1]!, [...(errors.get(found[1]!) ?? []), last])
  }
  return errors
}

test("what is written wrongly has one error, where it is", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-type-errors-"))
  try {
    for (const [at, [, code]] of cases.entries())
      writeFileSync(`${directory}/case-${at}.ts`, `${BEFORE}${code.replaceAll(/[⟨⟩]/g, "")}`)
    symlinkSync(`${ROOT}/node_modules`, `${directory}/node_modules`)
    writeFileSync(`${directory}/package.json`, JSON.stringify({ type: "module" }))
    const types = { types: ["node"], typeRoots: [`${ROOT}/node_modules/@types`] }
    const config = { extends: `${ROOT}/tsconfig.test.json`, compilerOptions: types, include: ["*.ts"], references: [] }
    writeFileSync(`${directory}/tsconfig.json`, JSON.stringify(config))
    const errors = compile(directory)
    for (const [at, [name, code, error]] of cases.entries()) {
      const before = `${BEFORE}${code.slice(0, code.indexOf("⟨"))}`.split("\n")
      const place = { line: before.length, column: before.at(-1)!.length + 1 }
      const found = errors.get(`case-${at}.ts`) ?? []
      expect(found, name).toEqual([{ ...place, message: expect.stringMatching(error) }])
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
