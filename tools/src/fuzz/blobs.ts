/**
 * What stands in a field of bytes: record batches, subscriptions and assignments of consumers, messages of SASL mechanisms;
 * whole, damaged, or noise.
 */
import { encode, type Message } from "@millrace/protocol"
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import type { SeededRandom } from "@millrace/simulation/random"
import { damage } from "./damage.ts"
import { recordBatch } from "./record-batches.ts"
import { TOPICS, type Words } from "./words.ts"

export function blob(random: SeededRandom, words: Words, field: string, now: number): Uint8Array {
  if (/^records$/i.test(field)) return recordBatch(random, words, now)
  if (random.chance(0.05)) return random.bytes(random.int(100))
  const whole = wholeBlob(random, field)
  return random.chance(0.3) ? damage(random, whole, 0) : whole
}

function wholeBlob(random: SeededRandom, field: string): Uint8Array {
  if (/^metadata$/i.test(field)) return subscription(random)
  if (/assignment/i.test(field)) return assignment(random)
  if (/authBytes/i.test(field)) return Buffer.from(random.pick(SASL_MESSAGES), "latin1")
  return random.bytes(random.int(40))
}

const ownership = (random: SeededRandom) =>
  Array.from({ length: random.int(3) }, () => ({
    topic: random.pick(TOPICS),
    partitions: [random.int(4), random.int(4)],
  }))

function subscription(random: SeededRandom): Uint8Array {
  const version = random.int(4)
  return versioned(random, ConsumerProtocolSubscription, version, {
    topics: Array.from({ length: random.int(4) }, () => random.pick(TOPICS)),
    userData: random.chance(0.5) ? null : random.bytes(8),
    ownedPartitions: version > 0 ? ownership(random) : [],
    ...(version > 1 && { generationId: random.pick([-1, 0, 1]) }),
    ...(version > 2 && { rackId: random.chance(0.5) ? null : "r1" }),
  })
}

function assignment(random: SeededRandom): Uint8Array {
  return versioned(random, ConsumerProtocolAssignment, random.int(4), {
    assignedPartitions: ownership(random),
    userData: random.chance(0.5) ? null : random.bytes(8),
  })
}

/** Behind its version, which is now and then one that there is not. */
function versioned<E>(random: SeededRandom, message: Message<unknown, E>, version: number, value: E): Uint8Array {
  const prefix = Buffer.alloc(2)
  prefix.writeInt16BE(random.chance(0.1) ? random.pick([-1, 4, 0x7fff]) : version)
  return Buffer.concat([prefix, encode(message, version, value)])
}

const SASL_MESSAGES: readonly string[] = [
  "\0alice\0secret",
  "\0alice\0wrong",
  "\0\0\0\0",
  "alice\0alice\0secret",
  "n,,n=alice,r=abcdef",
  "n,,n==2C,r=,",
  "y,a=alice,n=alice,r=abc",
  "p=tls-unique,,n=alice,r=abc",
  "c=biws,r=abcdef,p=AAAA",
  "n,,\u0001auth=Bearer a.b.c\u0001\u0001",
  "n,,\u0001auth=Bearer eyJhbGciOiJub25lIn0.e30.\u0001\u0001",
  "",
]
