/**
 * The two identity files in Java's properties format: whose data directory this is, and which topic a log belongs to.
 *
 *   meta.properties      version=1, cluster.id, node.id, directory.id
 *   partition.metadata   version: 0, topic_id: UUID
 */
import { type Disk, type DiskFile, writeFileAtomically } from "@millrace/host"
import { CorruptLogError, LogDirectoryError } from "./faults.ts"
import { META_PROPERTIES_FILE, PARTITION_METADATA_FILE } from "./layout.ts"

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
}

/** undefined when the directory is new. */
export function readMetaProperties(disk: Disk, directory: string): MetaProperties | undefined {
  const path = `${directory}/${META_PROPERTIES_FILE}`
  const content = disk.readFile(path)
  if (content === undefined) return undefined
  const properties = parse(new TextDecoder().decode(content), "=")
  const version = properties.get("version")
  if (version !== "1") {
    throw new LogDirectoryError(directory, `has version ${version ?? "(none)"} in ${META_PROPERTIES_FILE}, 1 is needed`)
  }
  const clusterId = properties.get("cluster.id")
  const nodeId = Number(properties.get("node.id"))
  if (clusterId === undefined || !Number.isSafeInteger(nodeId)) {
    throw new CorruptLogError(path, -1, "cluster.id or node.id is missing")
  }
  return { clusterId, nodeId, directoryId: properties.get("directory.id") ?? "" }
}

export function writeMetaProperties(disk: Disk, directory: string, meta: MetaProperties): void {
  const lines = [
    `cluster.id=${meta.clusterId}`,
    `directory.id=${meta.directoryId}`,
    `node.id=${meta.nodeId}`,
    "version=1",
    "",
  ]
  writeFileAtomically(disk, `${directory}/${META_PROPERTIES_FILE}`, new TextEncoder().encode(lines.join("\n")))
}

const TOPIC_ID_BEFORE = "version: 0\ntopic_id: "
const TOPIC_ID_LENGTH = 22

/**
 * The topic's id, or undefined when the log has no such file, or what a crash left of one that no flush had covered:
 * its beginning, and behind it nothing or zeros.
 */
export function readTopicId(disk: Disk, logDirectory: string): string | undefined {
  const path = `${logDirectory}/${PARTITION_METADATA_FILE}`
  const content = disk.readFile(path)
  if (content === undefined) return undefined
  const text = new TextDecoder().decode(content).replace(/\0+$/, "")
  if (TOPIC_ID_BEFORE.startsWith(text.slice(0, TOPIC_ID_BEFORE.length))) {
    if (text.length < TOPIC_ID_BEFORE.length + TOPIC_ID_LENGTH) return undefined
  }
  const topicId = parse(text, ":").get("topic_id")
  if (topicId === undefined || topicId.length !== TOPIC_ID_LENGTH)
    throw new CorruptLogError(path, -1, "it has no topic_id")
  return topicId
}

/** Not durable until `LogNames` makes it so. */
export function writeTopicId(disk: Disk, logDirectory: string, topicId: string): void {
  const file = disk.open(`${logDirectory}/${PARTITION_METADATA_FILE}`, { create: true, truncate: true })
  try {
    file.write([new TextEncoder().encode(`${TOPIC_ID_BEFORE}${topicId}\n`)], 0)
  } finally {
    file.close()
  }
}

export function syncTopicId(disk: Disk, logDirectory: string): void {
  const file = topicIdFile(disk, logDirectory)
  try {
    file?.sync()
  } finally {
    file?.close()
  }
}

/** The open file, or undefined when there is none. */
export function topicIdFile(disk: Disk, logDirectory: string): DiskFile | undefined {
  const path = `${logDirectory}/${PARTITION_METADATA_FILE}`
  return disk.exists(path) ? disk.open(path) : undefined
}

function parse(text: string, separator: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(separator)
    if (line.startsWith("#") || at < 0) continue
    properties.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
  }
  return properties
}
