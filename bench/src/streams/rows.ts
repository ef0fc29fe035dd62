/**
 * The topologies of suite "streams", by name: what each reads, and what must come out of it for the first n records,
 * computed from the generator alone. The topologies themselves are in millrace.ts, kafkats.ts and Topologies.java.
 */
import * as D from "./data.ts"

export const WINDOW_MS = 60_000

/** What came out: how many results, and the sum of a number that each has. */
export interface Outcome {
  readonly results: number
  readonly sum: number
}

export interface Workload {
  readonly what: string
  /** Input whose progress is measured; all of it is there before anyone starts. */
  readonly inputs: readonly Input[]
  /** Results with the same key replace one another: Kafka Streams puts out fewer of them by default, with its cache. */
  readonly isTable: boolean
  /** The number in a result. */
  readonly figure: "count" | "total"
  expected(n: number): Outcome
}

export type Input = "orders" | "customers" | "orders-by-id" | "payments"
export type WorkloadName = keyof typeof WORKLOADS

const totalOf = (n: number) => D.quantityOf(n) * D.priceOf(n)
const numbers = (n: number) => Array.from({ length: n }, (_, index) => index)
const sumOf = (list: readonly number[]) => list.reduce((sum, n) => sum + totalOf(n), 0)
const distinct = (keys: Iterable<unknown>) => new Set(keys).size

export const WORKLOADS = {
  stateless: {
    what: "filter and map",
    inputs: ["orders"],
    isTable: false,
    figure: "total",
    expected(n) {
      const kept = numbers(n).filter((one) => D.quantityOf(one) > 5)
      return { results: kept.length, sum: sumOf(kept) }
    },
  },
  count: {
    what: "re-key and count",
    inputs: ["orders"],
    isTable: true,
    figure: "count",
    expected: (n) => ({ results: distinct(numbers(n).map(D.productOf)), sum: n }),
  },
  window: {
    what: "1-minute tumbling aggregate",
    inputs: ["orders"],
    isTable: true,
    figure: "total",
    expected: (n) => ({
      results: distinct(numbers(n).map((one) => `${D.customerOf(one)} ${Math.floor(D.orderTime(one) / WINDOW_MS)}`)),
      sum: sumOf(numbers(n)),
    }),
  },
  "join-table": {
    what: "stream-table join",
    inputs: ["customers", "orders"],
    isTable: false,
    figure: "total",
    expected: (n) => ({ results: n, sum: sumOf(numbers(n)) }),
  },
  "join-stream": {
    what: "stream-stream join",
    inputs: ["orders-by-id", "payments"],
    isTable: false,
    figure: "total",
    expected: (n) => ({ results: n, sum: sumOf(numbers(n)) }),
  },
} as const satisfies Readonly<Record<string, Workload>>
