/**
 * What Apache Flink 1.13 used for 100 million events, as nexmark publishes it: cores and seconds of a cluster of 3 machines
 * with 8 cores each, RocksDB, exactly-once with a checkpoint every 3 minutes, mini-batches of 2 seconds.
 *
 * https://github.com/nexmark/nexmark, README.md of 2021-05-31 (commit 8ff9866), still the table of GUIDE_V1.md in 2025.
 */
import type { QueryName } from "./queries/index.ts"

const EVENTS = 100_000_000

const MEASURED: Readonly<Record<QueryName, { readonly cores: number; readonly seconds: number }>> = {
  q0: { cores: 8.45, seconds: 76.323 },
  q1: { cores: 8.26, seconds: 76.643 },
  q2: { cores: 8.23, seconds: 69.309 },
  q3: { cores: 8.59, seconds: 76.531 },
  q4: { cores: 12.85, seconds: 226.605 },
  q5: { cores: 10.8, seconds: 418.242 },
  q7: { cores: 14.21, seconds: 570.983 },
  q8: { cores: 9.42, seconds: 72.673 },
  q11: { cores: 10.6, seconds: 237.599 },
  q12: { cores: 13.69, seconds: 96.559 },
  q17: { cores: 9.24, seconds: 92.666 },
  q18: { cores: 12.49, seconds: 149.076 },
  q19: { cores: 21.38, seconds: 106.19 },
  q20: { cores: 17.27, seconds: 305.099 },
}

/** Events per second of one core. */
export const flinkRate = (query: QueryName): number => EVENTS / (MEASURED[query].cores * MEASURED[query].seconds)
