/**
 * The checks that clients for Node are put to, over what each of them can do in its own way.
 */
import { type Check, Skip } from "./check.ts"

const RECORDS = 2_000
const WAIT_MS_MAX = 60_000
export const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const
export type Codec = (typeof CODECS)[number]

export type KeyAndValue = readonly [key: string, value: string]

export interface NodeClient {
  createTopic(topic: string, partitions: number): Promise<void>
  produce(topic: string, codec: Codec, records: readonly KeyAndValue[]): Promise<void>
  /** In a group, from the beginning. */
  read(topic: string, group: string, count: number, isolation?: "read_committed"): Promise<KeyAndValue[]>
  member(topic: string, group: string): Member
  /**
   * Copies records one by one with their offsets: commits those of even numbers, and aborts the others. More than one
   * aborted transaction in a fetch is too much for @platformatic/kafka 2.12, whichever the broker.
   */
  copy(from: string, to: string, group: string, count: number): Promise<void>
  /** The offset that a group has committed of partition 0. */
  committed(group: string, topic: string): Promise<number>
  /** Creates, describes, alters and deletes; answers with what. */
  administer(topic: string): Promise<string>
  close(): Promise<void>
}

export interface Member {
  join(): Promise<void>
  /** The partitions it owns now. */
  owned(): readonly number[]
  leave(): Promise<void>
}

/** `open` starts the client, and throws `Skip` where it cannot be had. */
export function nodeClientChecks(name: string, client: string, open: () => Promise<NodeClient>): Check[] {
  const check = (what: string, run: (client: NodeClient) => Promise<string>): Check => ({
    client,
    name: what,
    run: async () => {
      const one = await open()
      return run(one).finally(() => one.close())
    },
  })
  const topic = (what: string) => `${name}-${what}`
  return [
    ...CODECS.map((codec) =>
      check(`produces, ${codec}, and consumes in a group`, async (one) => {
        await one.createTopic(topic(codec), 3)
        const sent = Array.from({ length: RECORDS }, (_, at) => [`key ${at}`, `value ${at} `.repeat(at % 9)] as const)
        await one.produce(topic(codec), codec, sent)
        same(sent, await one.read(topic(codec), topic(codec), RECORDS))
        return `${RECORDS} records, identical`
      }),
    ),
    check("rebalances a group of two, and of one again", async (one) => {
      await one.createTopic(topic("rebalance"), 4)
      const [first, second] = [one.member(topic("rebalance"), topic("r")), one.member(topic("rebalance"), topic("r"))]
      const owned = () => [first.owned().length, second.owned().length].join(" and ")
      await first.join()
      await until(
        () => first.owned().length === 4,
        () => `the first to own all four: ${owned()}`,
      )
      await second.join()
      await until(
        () => owned() === "2 and 2",
        () => `two partitions each: ${owned()}`,
      )
      const shared = first.owned().filter((partition) => second.owned().includes(partition))
      if (shared.length > 0) throw new Error(`both own ${shared.join(", ")}`)
      await second.leave()
      await until(
        () => first.owned().length === 4,
        () => `the first to own all four again: ${owned()}`,
      )
      await first.leave()
      return "4, then 2 and 2, then 4"
    }),
    check("commits and aborts transactions with offsets", async (one) => {
      const [from, to] = [topic("from"), topic("to")]
      await one.createTopic(from, 1)
      await one.createTopic(to, 1)
      const sent = Array.from({ length: 3 }, (_, at) => [`key ${at}`, `value ${at}`] as const)
      await one.produce(from, "none", sent)
      await one.copy(from, to, topic("copier"), sent.length)
      const committed = sent.filter((_, at) => at % 2 === 0)
      same(committed, await one.read(to, topic("reader"), committed.length, "read_committed"))
      const offset = await one.committed(topic("copier"), from)
      if (offset !== sent.length) throw new Error(`offset ${offset} is committed`)
      return "two committed seen, the aborted one not; offset of the last commit"
    }),
    check("creates, describes, alters and deletes", (one) => one.administer(topic("admin"))),
  ]
}

function same(expected: readonly KeyAndValue[], got: readonly KeyAndValue[]): void {
  const text = (records: readonly KeyAndValue[]) => records.map((one) => one.join("=")).toSorted()
  const [left, right] = [text(expected), text(got)]
  if (left.length !== right.length || left.some((one, at) => one !== right[at]))
    throw new Error(`expected ${left.length} records, got ${right.length}: ${right.slice(0, 5).join(", ")}`)
}

export async function until(holds: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${WAIT_MS_MAX / 1000} s for ${what()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as it should be: ${what}`)
}

/** A package that does not install here is no failure of ours. */
export async function orSkip<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { message, cause } = error as Error
    throw new Skip(`${message}: ${String((cause as Error | undefined)?.message ?? "").split("\n")[0]}`)
  }
}
