/**
 * The two identity files in Java's properties format: whose data directory this is, and which topic a log belongs to.
 *
 *   meta.properties      version=1, cluster.id, node.id, directory.id
 *   partition.metadata   version: 0, topic_id: UUID
 */
import { type Disk, writeFileAtomically } from "@millrace/host"
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
  const properties = parse(content, "=")
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

/** The topic's id, or undefined when the log has no such file. */
export function readTopicId(disk: Disk, logDirectory: string): string | undefined {
  const path = `${logDirectory}/${PARTITION_METADATA_FILE}`
  const content = disk.readFile(path)
  if (content === undefined) return undefined
  const topicId = parse(content, ":").get("topic_id")
  if (topicId === undefined || topicId.length !== 22) throw new CorruptLogError(path, -1, "it has no topic_id")
  return topicId
}

export function writeTopicId(disk: Disk, logDirectory: string, topicId: string): void {
  const text = `version: 0\ntopic_id: ${topicId}\n`
  writeFileAtomically(disk, `${logDirectory}/${PARTITION_METADATA_FILE}`, new TextEncoder().encode(text))
}

function parse(content: Uint8Array, separator: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of new TextDecoder().decode(content).split(/\r?\n/)) {
    const at = line.indexOf(separator)
    if (line.startsWith("#") || at < 0) continue
    properties.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
  }
  return properties
}
