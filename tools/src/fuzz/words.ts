/**
 * The names and numbers that requests are about: some that the broker knows, some that it told in an answer, some that
 * are none. Without them every request would end at "no such topic".
 */
import { STRING_BYTES_MAX, ZERO_UUID } from "@millrace/protocol"
import type { SeededRandom } from "@millrace/simulation/random"

/** Kinds of words that a broker makes up and tells. */
const TOLD = ["memberId", "producerId", "producerEpoch", "topicId", "sessionId", "memberEpoch", "generationId"] as const

/** Of each kind: the oldest goes when there are more. */
const TOLD_MAX = 12
/** Of a list in an answer: whoever asks for much is told much. */
const LEARNT_MAX = 20

export const TOPICS: readonly string[] = ["orders", "clicks", "compacted", "timed"]
const GROUPS: readonly string[] = ["g1", "g2", "g3"]

const STRANGE_NAMES: readonly string[] = [
  "",
  ".",
  "..",
  "a/b",
  "ä",
  "__consumer_offsets",
  "__transaction_state",
  "__cluster_metadata",
  "\u0000",
  "x".repeat(249),
  "x".repeat(250),
  "nowhere",
  "orders_",
  "constructor",
  "__proto__",
  "=cmd",
]

/** Expressions and the texts that take a backtracking matcher exponential time. */
const PATTERNS: readonly string[] = [
  ".*",
  "o.*",
  "(a+)+b",
  "((a|a)*)*c",
  "(",
  "[",
  "a{1000}",
  "(a{100}){10}",
  "\\1",
  "(?=a)",
]
const LONG_RUN = "a".repeat(40)

export class Words {
  readonly #told = new Map<string, unknown[]>()

  /** Takes what an answer tells: ids of members, producers and topics, epochs, sessions. */
  learn(answer: unknown, depth = 0): void {
    if (typeof answer !== "object" || answer === null || answer instanceof Uint8Array || depth > 10) return
    if (Array.isArray(answer)) {
      for (const one of answer.slice(0, LEARNT_MAX)) this.learn(one, depth + 1)
      return
    }
    for (const [name, value] of Object.entries(answer)) {
      if (typeof value === "object") this.learn(value, depth + 1)
      else if ((TOLD as readonly string[]).includes(name)) this.#keep(name, value)
    }
  }

  #keep(name: string, value: unknown): void {
    if (value === "" || value === ZERO_UUID || value === -1) return
    // The ends of 64 bits stand for what is not known, and a batch cannot have them.
    if (typeof value === "number" && !Number.isSafeInteger(value)) return
    const kept = this.#told.get(name) ?? []
    const known = kept.indexOf(value)
    if (known >= 0) kept.splice(known, 1)
    kept.push(value)
    if (kept.length > TOLD_MAX) kept.shift()
    this.#told.set(name, kept)
  }

  /** One of what was told; undefined when nothing was. */
  told<T>(random: SeededRandom, name: (typeof TOLD)[number]): T | undefined {
    const kept = this.#told.get(name)
    return kept === undefined ? undefined : (random.pick(kept) as T)
  }

  /** A text for a field of this name. */
  text(random: SeededRandom, field: string): string {
    if (random.chance(0.08)) return random.pick(STRANGE_NAMES)
    if (random.chance(0.02)) return "y".repeat(random.int(random.chance(0.3) ? STRING_BYTES_MAX + 1 : 3_000))
    if (/memberId/i.test(field)) return random.chance(0.2) ? "" : (this.told<string>(random, "memberId") ?? "m1")
    if (/instanceId/i.test(field)) return random.pick(["i1", "i2"])
    if (/pattern|regex/i.test(field)) return random.pick(PATTERNS)
    if (/transactionalId/i.test(field)) return random.pick(["t1", "t2", LONG_RUN])
    if (/group/i.test(field)) return random.pick(GROUPS)
    if (/protocolType/i.test(field)) return random.pick(["consumer", "connect", "consumer"])
    if (/assignor/i.test(field)) return random.pick(["uniform", "range", "none"])
    if (/mechanism/i.test(field)) return random.pick(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI"])
    if (/software/i.test(field)) return "fuzz"
    if (/state|status/i.test(field)) return random.pick(["Stable", "Empty", "Ongoing", "none"])
    if (/principal/i.test(field)) return random.pick(["User:alice", "User:*", "alice"])
    if (/user/i.test(field)) return random.pick(["alice", "bob"])
    if (/entityType/i.test(field)) return random.pick(["user", "client-id", "ip"])
    if (/host|listener/i.test(field)) return random.pick(["*", "127.0.0.1", "client"])
    if (/coordinatorKeys|^key$|resourceName/i.test(field)) return random.pick([...TOPICS, ...GROUPS, "t1", "1"])
    if (/config|^keys?$|^ops$/i.test(field)) return random.pick(CONFIG_NAMES)
    if (/value/i.test(field)) return random.pick(CONFIG_VALUES)
    if (/protocol/i.test(field)) return random.pick(["range", "sticky", "range"])
    return random.pick(TOPICS)
  }

  uuid(random: SeededRandom): string {
    if (random.chance(0.2)) return ZERO_UUID
    return this.told<string>(random, "topicId") ?? "AAAAAAAAAAAAAAAAAAAAAQ"
  }
}

/** Those that would shut the fuzz out are not among them: limits of connections, and what quotas set aside for them. */
const CONFIG_NAMES: readonly string[] = [
  "cleanup.policy",
  "retention.ms",
  "retention.bytes",
  "segment.bytes",
  "segment.ms",
  "max.message.bytes",
  "compression.type",
  "message.timestamp.type",
  "flush.messages",
  "min.insync.replicas",
  "max.compaction.lag.ms",
  "delete.retention.ms",
  "consumer.session.timeout.ms",
  "num.partitions",
  "log.retention.ms",
  "producer_byte_rate",
  "consumer_byte_rate",
  "request_percentage",
  "controller_mutation_rate",
]

const CONFIG_VALUES: readonly string[] = [
  "compact",
  "delete",
  "compact,delete",
  "1",
  "100",
  "100000",
  "-1",
  "",
  "9223372036854775807",
  "99999999999999999999",
  "zstd",
  "gzip",
  "producer",
  "LogAppendTime",
  "CreateTime",
  "1e3",
  "NaN",
]
