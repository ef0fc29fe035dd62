/**
 * Our broker beside a real Apache Kafka, which MILLRACE_TEST_BROKERS names: a scene is played on both and what was seen is
 * compared. Covers what the numbered semantics say that one request at a time can show.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { nodeHost } from "@millrace/host/node"
import { server } from "@millrace/testing/certificates"
import { Broker } from "../src/index.ts"
import { disagreements } from "./differences.ts"
import { Side } from "./side.ts"

const brokers = process.env["MILLRACE_TEST_BROKERS"] ?? ""
if (brokers === "") throw new Error("MILLRACE_TEST_BROKERS names no brokers: run this through `npm run test:kafka`")

const run = Math.random().toString(36).slice(2, 8)
export const topic = `oracle-${run}`
export const group = (name: string) => `${name}-${run}`
export const bytes = (value: string) => new Uint8Array(Buffer.from(value))

let dataDir = ""
let ours: Broker

/** What `npm run test:kafka` tells of the listeners of its own Kafka beside the plain one. */
const secureBrokers = process.env["MILLRACE_TEST_SECURE_BROKERS"]
export const hasSecureBrokers = secureBrokers !== undefined
let theirs = brokers.split(",")[0]!

/** As `tools/src/test-kafka.ts` has it. */
const SECURE = {
  listeners: "SASL_SSL://127.0.0.1:0",
  "ssl.keystore.key": server.key,
  "ssl.keystore.certificate.chain": server.cert,
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
  "listener.name.sasl_ssl.plain.sasl.jaas.config": 'PlainLoginModule required user_alice="secret" user_bob="secret";',
  "connections.max.reauth.ms": "1000",
  "delegation.token.secret.key": "what tokens are made with",
  "delegation.token.expiry.check.interval.ms": "500",
}

/** Starts our broker for a suite; `isSecure`: of both sides the listener with TLS and SASL is asked. */
export function oracle({ isSecure = false } = {}): void {
  beforeAll(async () => {
    if (isSecure) {
      if (secureBrokers === undefined) return
      theirs = (JSON.parse(secureBrokers) as Record<string, string>)["SASL_SSL"]!
    }
    dataDir = mkdtempSync(join(tmpdir(), "millrace-oracle-"))
    ours = await Broker.start({
      host: nodeHost,
      dataDir,
      listen: { host: "127.0.0.1", port: 0 },
      config: {
        // As `tools/src/real-kafka.ts` configures the other.
        "node.id": "1",
        "num.partitions": "1",
        "log.segment.bytes": "67108864",
        "log.cleaner.dedupe.buffer.size": "4194304",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "500",
        "group.streams.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        ...(isSecure && SECURE),
      },
    })
  })

  afterAll(async () => {
    await ours?.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
}

/** Plays a scene on both sides and compares what was seen. */
export function compare(name: string, scene: (side: Side) => Promise<void>): void {
  test(name, async () => {
    const [here, there] = await played(async (side) => {
      await scene(side)
      return side.observed()
    })
    expect(disagreements(here, there)).toEqual([])
  })
}

export interface Told<T> {
  readonly ours: T
  readonly kafkas: T
}

/** A difference on purpose: its reason, and what either broker says, so that it is noticed when either changes. */
export function differs<T>(why: string, scene: (side: Side) => Promise<T>, told: Told<T>): void {
  test(`on purpose: ${why}`, async () => {
    const [ours, kafkas] = await played(scene)
    expect({ ours, kafkas }).toEqual(told)
  })
}

/** Plays a scene on both sides: what ours answered, and what Kafka did. */
export async function played<T>(scene: (side: Side) => Promise<T>): Promise<T[]> {
  const seen: T[] = []
  for (const address of [`${ours.address.host}:${ours.address.port}`, theirs]) {
    const side = new Side(address)
    try {
      seen.push(await scene(side))
    } finally {
      side.close()
    }
  }
  return seen
}
