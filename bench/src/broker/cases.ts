/**
 * What suite "broker" measures: writing and reading by two clients we did not write, and how long a record takes.
 */
export type Client = "java" | "kcat"

/** A topic that a case writes, or one that was written before and is read. */
export interface Shape {
  readonly valueBytes: 100 | 1_000
  readonly partitions: 1 | 6
  readonly codec: "none" | "lz4"
}

export interface Produce extends Shape {
  readonly action: "produce"
  readonly client: Client
  readonly acks: "acks=1" | "acks=all"
}

export interface Consume extends Shape {
  readonly action: "consume"
  readonly client: Client
}

export interface Latency {
  readonly action: "latency"
  readonly client: "java"
  /** Records a second. */
  readonly rate: 1_000 | 10_000
}

export type Case = Produce | Consume | Latency

export function titleOf(one: Case): string {
  if (one.action === "latency") return `end to end at ${one.rate}/s`
  const { action, client, valueBytes, partitions, codec } = one
  const acks = action === "produce" ? `, ${one.acks}` : ""
  return `${action} ${valueBytes} B by ${client}, ${partitions} partition${partitions > 1 ? "s" : ""}, ${codec}${acks}`
}

/** A word of `--only`: 1-partition and 6-partitions beside the plain values. */
export const wordsOf = (one: Case): object =>
  one.action === "latency" ? one : { ...one, partitions: `${one.partitions}-partition${one.partitions > 1 ? "s" : ""}` }

const SHAPES: readonly Shape[] = ([100, 1_000] as const).flatMap((valueBytes) =>
  ([1, 6] as const).flatMap((partitions) =>
    (["none", "lz4"] as const).map((codec) => ({ valueBytes, partitions, codec })),
  ),
)

export const CASES: readonly Case[] = [
  ...(["java", "kcat"] as const).flatMap((client) => [
    ...SHAPES.flatMap((shape): Case[] => [
      { action: "produce", client, ...shape, acks: "acks=1" },
      { action: "produce", client, ...shape, acks: "acks=all" },
    ]),
    ...SHAPES.map((shape): Case => ({ action: "consume", client, ...shape })),
  ]),
  { action: "latency", client: "java", rate: 1_000 },
  { action: "latency", client: "java", rate: 10_000 },
]

/** What runs unless all is asked for: one change at a time from the plainest case. */
export function isUsual(one: Case): boolean {
  if (one.action === "latency") return true
  const isPlainest = one.client === "java" && one.valueBytes === 100 && one.partitions === 1 && one.codec === "none"
  if (one.action === "produce" && one.acks === "acks=1") return isPlainest
  if (one.client === "kcat") return one.codec === "none" && one.partitions === 6
  return one.codec === "none" || (one.partitions === 6 && one.valueBytes === 1_000)
}
