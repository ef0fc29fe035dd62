/**
 * Decisions about settings: IncrementalAlterConfigs (KIP-339) and the older AlterConfigs, which replaces all settings of
 * a resource. A resource is changed as a whole or not at all.
 */
import { ConfigError, type ConfigTable, type Entry, nearestKey, parseOne } from "@millrace/config"
import { ErrorCode, fitsString, STRING_BYTES_MAX } from "@millrace/protocol"
import { type BrokerConfig, brokerConfig } from "../config/broker.ts"
import { groupConfig, groupConfigFault } from "../config/group.ts"
import { topicConfig, topicConfigFault } from "../config/topic.ts"
import { ConfigResourceType, type MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import { Refusal } from "./refusal.ts"
import { checkTopicName } from "./topic-names.ts"

export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

export interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}

/** The list setting that APPEND and SUBTRACT start from: the value in effect, default included. */
export type EffectiveValue = (resource: ConfigResource, name: string) => string

/** Throws a Refusal that says what is wrong with the name or the value. */
export function checkConfigValue(
  table: ConfigTable,
  name: string,
  value: string,
  read: (text: string) => unknown,
  invalid: ErrorCode = ErrorCode.INVALID_CONFIG,
): void {
  if (!Object.hasOwn(table, name)) {
    const nearest = nearestKey(Object.keys(table), name)
    const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`
    throw new Refusal(ErrorCode.INVALID_CONFIG, `Unknown config name: ${name}.${hint}`)
  }
  try {
    read(value)
  } catch (cause) {
    if (cause instanceof ConfigError) throw new Refusal(invalid, cause.message)
    throw cause
  }
}

export function alterConfigsIncrementally(
  image: MetadataImage,
  resource: ConfigResource,
  changes: readonly ConfigChange[],
  effective: EffectiveValue,
): MetadataRecord[] {
  checkValues(changes.filter(({ operation }) => operation !== ConfigOperation.DELETE))
  const table = tableOf(image, resource)
  const names = new Set<string>()
  const records = changes.map(({ name, operation, value }) => {
    if (names.has(name)) throw new Refusal(ErrorCode.INVALID_REQUEST, `Config ${name} is changed more than once.`)
    names.add(name)
    // What is not known any more can still be taken away.
    const isRemoval = operation === ConfigOperation.DELETE
    if (isRemoval && resource.resourceType !== ConfigResourceType.BROKER) return record(resource, name, null)
    const entry = dynamicEntry(table, resource, name)
    if (isRemoval) return record(resource, name, null)
    const text = newValue(entry, resource, name, operation, value!, effective)
    checkConfigValue(table, name, text, (read) => parseOne(table, name, read), invalidValueOf(resource))
    return record(resource, name, text)
  })
  checkTopicIsThere(image, resource)
  return records
}

function newValue(
  entry: Entry<unknown>,
  resource: ConfigResource,
  name: string,
  operation: number,
  value: string,
  effective: EffectiveValue,
): string {
  if (operation === ConfigOperation.SET) return value
  if (operation !== ConfigOperation.APPEND && operation !== ConfigOperation.SUBTRACT) {
    throw new Refusal(ErrorCode.INVALID_REQUEST, `Unknown config operation ${operation}.`)
  }
  if (entry.type !== "LIST") {
    throw new Refusal(ErrorCode.INVALID_CONFIG, `Config ${name} is no list: values cannot be added or taken away.`)
  }
  const members = split(effective(resource, name))
  const given = new Set(split(value))
  const result =
    operation === ConfigOperation.APPEND
      ? [...new Set([...members, ...given])]
      : members.filter((member) => !given.has(member))
  const text = result.join(",")
  if (!fitsString(text)) {
    throw new Refusal(ErrorCode.INVALID_CONFIG, `Config ${name} would be longer than ${STRING_BYTES_MAX} bytes.`)
  }
  return text
}

const split = (text: string) =>
  text
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "")

/** The settings given are all the resource has from then on. */
export function replaceConfigs(
  image: MetadataImage,
  resource: ConfigResource,
  settings: readonly { readonly name: string; readonly value: string | null }[],
): MetadataRecord[] {
  checkValues(settings)
  const table = tableOf(image, resource)
  const records: MetadataRecord[] = []
  const names = new Set<string>()
  for (const { name, value } of settings) {
    if (names.has(name)) throw new Refusal(ErrorCode.INVALID_REQUEST, `Config ${name} is given more than once.`)
    names.add(name)
    dynamicEntry(table, resource, name)
    checkConfigValue(table, name, value!, (read) => parseOne(table, name, read), invalidValueOf(resource))
    records.push(record(resource, name, value))
  }
  checkTopicIsThere(image, resource)
  for (const name of Object.keys(image.configs(resource.resourceType, resource.resourceName))) {
    if (!settings.some((setting) => setting.name === name)) records.push(record(resource, name, null))
  }
  return records
}

/** Before anything else, as in Kafka. */
function checkValues(settings: readonly { readonly name: string; readonly value: string | null }[]): void {
  const without = settings.find(({ value }) => value === null)
  if (without !== undefined) throw new Refusal(ErrorCode.INVALID_REQUEST, `Config ${without.name} has no value.`)
}

/** As in Kafka, where a broker judges its own settings and the controller all others. */
const invalidValueOf = ({ resourceType }: ConfigResource): ErrorCode =>
  resourceType === ConfigResourceType.BROKER ? ErrorCode.INVALID_REQUEST : ErrorCode.INVALID_CONFIG

/** Throws a Refusal when what these records leave a resource with does not go together. */
export function checkConfigsTogether(
  image: MetadataImage,
  { resourceType, resourceName }: ConfigResource,
  records: readonly MetadataRecord[],
  broker: BrokerConfig,
): void {
  const isGroup = resourceType === ConfigResourceType.GROUP
  if (!isGroup && resourceType !== ConfigResourceType.TOPIC) return
  const own = { ...image.configs(resourceType, resourceName) }
  for (const { type, data } of records) {
    if (type !== "ConfigRecord") continue
    if (data.value === null) delete own[data.name]
    else own[data.name] = data.value
  }
  const fault = isGroup ? groupConfigFault(own, broker) : topicConfigFault(own)
  if (fault !== undefined) throw new Refusal(ErrorCode.INVALID_CONFIG, fault)
}

function tableOf(image: MetadataImage, { resourceType, resourceName }: ConfigResource): ConfigTable {
  switch (resourceType) {
    case ConfigResourceType.TOPIC:
      if (resourceName === "") throw new Refusal(ErrorCode.INVALID_REQUEST, "There are no settings for all topics.")
      checkTopicName(resourceName)
      return topicConfig
    case ConfigResourceType.BROKER:
      // An empty name is the default for all brokers.
      if (resourceName !== "" && !image.broker(Number(resourceName)))
        throw new Refusal(ErrorCode.INVALID_REQUEST, `There is no broker ${resourceName}.`)
      return brokerConfig
    case ConfigResourceType.GROUP:
      if (resourceName === "") throw new Refusal(ErrorCode.INVALID_REQUEST, "There are no settings for all groups.")
      return groupConfig
    default:
      throw new Refusal(ErrorCode.INVALID_REQUEST, `Configs of resource type ${resourceType} cannot be changed.`)
  }
}

/** After its settings, as in Kafka. */
function checkTopicIsThere(image: MetadataImage, { resourceType, resourceName }: ConfigResource): void {
  if (resourceType === ConfigResourceType.TOPIC && !image.topic(resourceName))
    throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`)
}

function dynamicEntry(table: ConfigTable, resource: ConfigResource, name: string): Entry<unknown> {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined
  if (!entry) {
    checkConfigValue(table, name, "", () => undefined)
    throw new Refusal(ErrorCode.INVALID_CONFIG, `Unknown config name: ${name}.`)
  }
  if (resource.resourceType === ConfigResourceType.BROKER) {
    if (entry.dynamic === "read-only") {
      throw new Refusal(ErrorCode.INVALID_REQUEST, `Config ${name} is read when a broker starts; set it in its file.`)
    }
    if (entry.dynamic === "per-broker" && resource.resourceName === "") {
      throw new Refusal(ErrorCode.INVALID_REQUEST, `Config ${name} can only be set on single brokers.`)
    }
  }
  return entry
}

const record = (
  { resourceType, resourceName }: ConfigResource,
  name: string,
  value: string | null,
): MetadataRecord => ({
  type: "ConfigRecord",
  data: { resourceType, resourceName, name, value },
})
