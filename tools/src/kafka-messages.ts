/**
 * Compares our message table with Kafka's own definitions and reports every difference that shows on the wire or in a
 * value: names, order, types, versions, nullability, defaults, tags, what may be dropped.
 *
 *   node tools/src/kafka-messages.ts PATH…        PATH: a jar, a directory, or a .json of Kafka's message definitions
 *
 * Jars that hold them: kafka-clients, kafka-metadata, kafka-raft, kafka-storage and the group, transaction and share
 * coordinators. The definitions are read where they are; nothing of them comes into this repository. Exit 1 when there is
 * a difference. Versions are compared by what they mean within the valid versions: "0-12" and "0+" are the same when 12
 * is the last one.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { INT64_MAX, INT64_MIN, ZERO_UUID } from "@millrace/protocol"
import { apiOfKey } from "@millrace/protocol/api-keys"
import { RequestHeader, ResponseHeader } from "@millrace/protocol/messages/headers"
import { apis } from "@millrace/protocol/messages/index"
import * as records from "@millrace/protocol/records/index"
import type { Field, Fields } from "@millrace/protocol/schema/field"
import type { Message, RecordMessage } from "@millrace/protocol/schema/message"
import { includes, versionRange } from "@millrace/protocol/schema/version-range"
import { zipEntries } from "./zip.ts"

interface KafkaField {
  name: string
  type: string
  versions?: string
  nullableVersions?: string
  taggedVersions?: string
  flexibleVersions?: string
  tag?: number
  default?: string | number | boolean | null
  ignorable?: boolean
  fields?: KafkaField[]
}

export interface KafkaMessage {
  name: string
  type: string
  apiKey?: number
  validVersions: string
  flexibleVersions?: string
  latestVersionUnstable?: boolean
  fields?: KafkaField[]
  commonStructs?: { name: string; fields: KafkaField[] }[]
}

/** Kafka's definitions are JSON with line comments. */
export function parseDefinition(text: string): KafkaMessage {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*/g, (token) => (token.startsWith('"') ? token : ""))
  return JSON.parse(bare) as KafkaMessage
}

export function* definitionsIn(path: string): Generator<KafkaMessage> {
  if (statSync(path).isDirectory()) {
    for (const entry of readdirSync(path).sort()) {
      const inner = join(path, entry)
      if (statSync(inner).isDirectory() || entry.endsWith(".json") || entry.endsWith(".jar"))
        yield* definitionsIn(inner)
    }
  } else if (path.endsWith(".jar")) {
    for (const entry of zipEntries(readFileSync(path))) {
      if (/(^|\/)(message|metadata)\/\w+\.json$/.test(entry.name))
        yield parseDefinition(entry.content().toString("utf8"))
    }
  } else yield parseDefinition(readFileSync(path, "utf8"))
}

/** Every message of our table by name. */
export function ourMessages(): Map<string, Message> {
  const pairs = [records.groupRecords, records.transactionRecords, records.shareStateRecords]
  const all: Message[] = [
    ...[...apis.values()].flatMap((api) => [api.request, api.response]),
    ...pairs.flatMap((map) => [...map.values()].flatMap((pair) => [pair.key, pair.value])),
    ...records.metadataRecords.values(),
    ...records.remoteLogRecords.values(),
    ...records.dataMessages,
    RequestHeader,
    ResponseHeader,
  ]
  return new Map(all.map((message) => [message.name, message]))
}

/** One line for each difference. */
export function compareMessage(ours: Message, theirs: KafkaMessage): string[] {
  const differences: string[] = []
  const differ = (path: string, what: string, our: unknown, their: unknown) => {
    const [a, b] = [String(our), String(their)]
    if (a !== b) differences.push(`${path}: ${what} is ${a}, Kafka has ${b}`)
  }
  const { min, max } = versionRange(ours.versions)
  differ(ours.name, "valid versions", ours.versions, theirs.validVersions)
  differ(
    ours.name,
    "flexible versions",
    effective(ours.flexible, min, max),
    effective(theirs.flexibleVersions, min, max),
  )
  compareKeys(ours, theirs, differ)

  const structs = new Map((theirs.commonStructs ?? []).map((struct) => [struct.name, struct.fields]))
  const compareFields = (path: string, fields: Fields, kafka: KafkaField[], from: number, to: number): void => {
    const names = kafka.map((field) => field.name[0]!.toLowerCase() + field.name.slice(1))
    differ(path, "list of fields", Object.keys(fields).join(" "), names.join(" "))
    kafka.forEach((their, i) => {
      const our = fields[names[i]!]
      if (our !== undefined) compareField(`${path}.${names[i]}`, our, their, from, to)
    })
  }
  const compareField = (path: string, our: Field, their: KafkaField, from: number, to: number): void => {
    // A field may be stated by its tagged versions alone.
    const versions = their.versions ?? their.taggedVersions ?? "none"
    const element = their.type.replace("[]", "")
    const isStruct = /^[A-Z]/.test(element)
    differ(path, "type", our.type === "array" ? `[]${our.element}` : our.type, kafkaType(their.type))
    differ(path, "versions", effective(our.versions, from, to), effective(versions, from, to))
    differ(path, "nullable versions", nullable(our.nullable, our.versions), nullable(their.nullableVersions, versions))
    differ(path, "default", ourDefault(our), kafkaDefault(their, isStruct))
    differ(path, "tag", our.tag, their.tag)
    if (our.tag !== undefined) {
      const tagged = their.taggedVersions
      differ(path, "tagged versions", effective(our.tagged ?? our.versions, from, to), effective(tagged, from, to))
    }
    differ(path, "ignorable", our.ignorable ?? false, their.ignorable ?? false)
    differ(path, "flexible versions", our.flexible, their.flexibleVersions)
    if (isStruct && our.fields !== undefined) {
      const inner = their.fields ?? structs.get(element)
      if (inner === undefined) differences.push(`${path}: Kafka's definition lacks the struct ${element}`)
      else compareFields(path, our.fields, inner, from, to)
    }
    /** Versions in which null is allowed, of those in which the field exists. */
    function nullable(range: string | undefined, within: string): string {
      if (range === undefined) return "none"
      return listed(from, to, (version) => includes(range, version) && includes(within, version))
    }
  }
  compareFields(ours.name, ours.fields, theirs.fields ?? [], min, max)
  return differences
}

type Differ = (path: string, what: string, our: unknown, their: unknown) => void

function compareKeys(ours: Message, theirs: KafkaMessage, differ: Differ): void {
  if (theirs.type === "request" || theirs.type === "response") {
    const api = [...apis.values()].find((api) => api.request === ours || api.response === ours)
    if (api === undefined) return
    differ(ours.name, "API key", api.key, theirs.apiKey)
    differ(ours.name, "name by key", apiOfKey(api.key)?.name, theirs.name.replace(/(Request|Response)$/, ""))
    if (theirs.type === "request") {
      differ(
        ours.name,
        "unstable last version",
        api.latestUnstable !== undefined,
        theirs.latestVersionUnstable ?? false,
      )
    }
  } else if (theirs.apiKey !== undefined) differ(ours.name, "record type", (ours as RecordMessage).key, theirs.apiKey)
}

function kafkaType(type: string): string {
  return type.replace(/[A-Z]\w*$/, "struct")
}

/** A range by what it means between two versions. */
function effective(range: string | undefined, from: number, to: number): string {
  return range === undefined ? "none" : listed(from, to, (version) => includes(range, version))
}

function listed(from: number, to: number, has: (version: number) => boolean): string {
  const versions = Array.from({ length: to - from + 1 }, (_, i) => from + i).filter(has)
  return versions.length === 0 ? "none" : `${versions[0]}-${versions.at(-1)}`
}

function implicitDefault(type: string): string {
  if (type === "bool") return "false"
  if (type === "string") return '""'
  if (type === "uuid") return ZERO_UUID
  return /^(u?int|float)/.test(type) ? "0" : "empty"
}

function ourDefault(field: Field): string {
  if (field.default === undefined) return implicitDefault(field.type)
  return typeof field.default === "string" ? JSON.stringify(field.default) : String(field.default)
}

/** Kafka writes defaults as text; a JSON null there means that none is given. */
function kafkaDefault(field: KafkaField, isStruct: boolean): string {
  const { default: value, type } = field
  if (value === undefined || value === null) return isStruct ? "empty" : implicitDefault(type)
  if (value === "null") return "null"
  if (type === "string") return JSON.stringify(value)
  if (type === "bool") return String(value)
  const exact = BigInt(value)
  if (exact === 2n ** 63n - 1n) return String(INT64_MAX)
  return exact === -(2n ** 63n) ? String(INT64_MIN) : String(exact)
}

/** Compares all definitions found with our table. */
export function compareAll(definitions: Iterable<KafkaMessage>): { compared: number; differences: string[] } {
  const ours = ourMessages()
  const missing = new Set(ours.keys())
  const differences: string[] = []
  let compared = 0
  for (const theirs of definitions) {
    const our = ours.get(theirs.name)
    if (our !== undefined) {
      missing.delete(theirs.name)
      differences.push(...compareMessage(our, theirs))
      compared++
    } else if (theirs.validVersions !== "none") differences.push(`${theirs.name}: our table lacks it`)
  }
  for (const name of missing) differences.push(`${name}: none of the definitions given is of this name`)
  return { compared, differences }
}

function main(paths: string[]): number {
  if (paths.length === 0) {
    console.error("usage: kafka-messages.ts PATH… (jars, directories or .json files with Kafka's message definitions)")
    return 2
  }
  const { compared, differences } = compareAll(paths.flatMap((path) => [...definitionsIn(path)]))
  for (const difference of differences) console.log(difference)
  console.log(`${compared} messages compared, ${differences.length} differences`)
  return differences.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = main(process.argv.slice(2))
