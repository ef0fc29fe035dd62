/**
 * One store's state at a checkpoint, as objects of a snapshot store:
 *
 *     PLACE/TOPIC-ID/OFFSET-NONCE/0, 1, 2 …     parts: rows, each two lengths, the key, the value
 *     PLACE/TOPIC-ID/OFFSET-NONCE/manifest      checkpoint, sizes and checksums of the parts; written last
 *
 * PLACE is APPLICATION/STORE-PARTITION; the topic is the changelog that the offset counts in.
 *
 * A snapshot is there once its manifest is: a crash in between leaves parts that the next one takes away. Two processes that
 * write at once do not meet, each has its nonce. The two latest are kept, since somebody may be reading the one before. What
 * belongs to another topic of that name goes: it was deleted.
 *
 * Whoever reads one fills an empty engine. Until the last part is in, the engine's checkpoint is one that nobody can go on
 * from, so that a crash in the middle leaves no half that looks whole.
 */
import { crc32c } from "@millrace/protocol/record/crc32c"
import type { Checkpoint, EngineImage, EngineWrite, StateEngine } from "../state/engine.ts"
import type { SnapshotStore } from "./snapshot-store.ts"

const VERSION = 1
const MANIFEST = "/manifest"
const KEPT = 2
/** Digits of an offset, so that names sort as offsets do. */
const OFFSET_DIGITS = 16
const LENGTHS_BYTES = 8
const CHECKSUM_BYTES = 4
const PART_BYTES = 4 * 1024 * 1024
/** Read and copied in one go, before the caller's `pause`. */
const SLICE_ROWS = 1_000
const UNUSABLE: Checkpoint = { topicId: "", offset: 0, writtenAt: 0 }

interface Manifest {
  readonly version: number
  readonly checkpoint: Checkpoint
  readonly rows: number
  readonly parts: ReadonlyArray<{ readonly bytes: number; readonly crc: number }>
}

/** A snapshot that was found; its manifest is sound. */
export interface FoundSnapshot {
  readonly name: string
  readonly checkpoint: Checkpoint
  readonly rows: number
  readonly parts: Manifest["parts"]
}

export interface SnapshotWriting {
  readonly target: SnapshotStore
  readonly place: string
  readonly nonce: string
  /** Awaited after every slice; what it throws ends the writing. */
  readonly pause: () => Promise<void>
  readonly partBytes?: number
}

/** Writes the image, and takes away what it replaces. */
export async function writeSnapshot(image: EngineImage, options: SnapshotWriting): Promise<void> {
  const { target, place, nonce, pause, partBytes = PART_BYTES } = options
  const { checkpoint } = image
  const name = `${place}/${checkpoint.topicId}/${String(checkpoint.offset).padStart(OFFSET_DIGITS, "0")}-${nonce}`
  const parts: Array<{ bytes: number; crc: number }> = []
  let part = Buffer.allocUnsafe(partBytes)
  let [at, rows] = [0, 0]
  const flush = async () => {
    const content = part.subarray(0, at)
    await target.put(`${name}/${parts.length}`, content)
    parts.push({ bytes: at, crc: crc32c(content) })
    at = 0
  }
  for (const [key, value] of image.entries()) {
    const bytes = LENGTHS_BYTES + key.length + value.length
    // What was handed out is gone after a pause: first the row, then the part that it did not fit into.
    if (at + bytes > part.length) {
      const row = Buffer.allocUnsafe(Math.max(partBytes, bytes))
      putRow(row, 0, key, value)
      if (at > 0) await flush()
      part = row
      at = bytes
    } else at = putRow(part, at, key, value)
    if (++rows % SLICE_ROWS === 0) await pause()
  }
  if (at > 0) await flush()
  const body = Buffer.from(JSON.stringify({ version: VERSION, checkpoint, rows, parts } satisfies Manifest))
  const sum = Buffer.allocUnsafe(CHECKSUM_BYTES)
  sum.writeUInt32BE(crc32c(body), 0)
  await target.put(name + MANIFEST, Buffer.concat([sum, body]))
  await prune(target, place, checkpoint.topicId)
}

/** Answers where the next row begins. */
function putRow(part: Buffer, at: number, key: string, value: Uint8Array): number {
  part.writeUInt32BE(key.length, at)
  part.writeUInt32BE(value.length, at + 4)
  part.write(key, at + LENGTHS_BYTES, "latin1")
  part.set(value, at + LENGTHS_BYTES + key.length)
  return at + LENGTHS_BYTES + key.length + value.length
}

/** Leaves the latest complete ones, and what is later than them: that may be on its way. */
async function prune(target: SnapshotStore, place: string, topicId: string): Promise<void> {
  const all = await target.list(`${place}/`)
  const ours = all.filter((name) => name.startsWith(`${place}/${topicId}/`))
  const kept = completeOf(ours).slice(0, KEPT)
  const isOld = (name: string) =>
    !ours.includes(name) || (snapshotOf(name) < kept.at(-1)! && !kept.includes(snapshotOf(name)))
  // Manifests first: a snapshot must not look whole while its parts go.
  const old = all.filter(isOld).sort((left, right) => Number(isManifest(right)) - Number(isManifest(left)))
  for (const name of old) await target.delete(name)
}

const snapshotOf = (name: string): string => name.slice(0, name.lastIndexOf("/"))
const isManifest = (name: string): boolean => name.endsWith(MANIFEST)

/** The latest first. */
const completeOf = (names: readonly string[]): string[] => names.filter(isManifest).map(snapshotOf).sort().toReversed()

/** Snapshots of a store's changelog, the latest first; those of other topics are told, and those that are damaged. */
export async function* findSnapshots(
  source: SnapshotStore,
  place: string,
  topicId: string,
  onUnusable: (name: string, reason: string) => void,
): AsyncIterable<FoundSnapshot> {
  const names = completeOf(await source.list(`${place}/`))
  for (const name of names) {
    if (!name.startsWith(`${place}/${topicId}/`)) {
      onUnusable(name, "it is of another changelog topic of that name")
      continue
    }
    try {
      yield { name, ...decodeManifest(await source.get(name + MANIFEST)) }
    } catch (cause) {
      onUnusable(name, cause instanceof Error ? cause.message : String(cause))
    }
  }
}

function decodeManifest(bytes: Uint8Array | undefined): Manifest {
  if (bytes === undefined) throw new Error("its manifest is gone")
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < CHECKSUM_BYTES || crc32c(bytes, CHECKSUM_BYTES) !== buffer.readUInt32BE(0))
    throw new Error("its manifest is damaged")
  const manifest = JSON.parse(buffer.toString("utf8", CHECKSUM_BYTES)) as Manifest
  if (manifest.version !== VERSION)
    throw new Error(`its format is version ${manifest.version}, and ${VERSION} is known`)
  return manifest
}

/** Fills an empty engine. When it throws, the engine has to be cleared. */
export async function readSnapshot(
  source: SnapshotStore,
  { name, checkpoint, parts }: FoundSnapshot,
  engine: StateEngine,
  signal?: AbortSignal,
): Promise<void> {
  for (const [index, { bytes, crc }] of parts.entries()) {
    signal?.throwIfAborted()
    const part = await source.get(`${name}/${index}`)
    if (part === undefined) throw new Error(`part ${index} is gone`)
    if (part.length !== bytes || crc32c(part) !== crc) throw new Error(`part ${index} is damaged`)
    await engine.write(rowsOf(part), UNUSABLE)
  }
  await engine.write([], checkpoint)
}

function rowsOf(part: Uint8Array): EngineWrite[] {
  const buffer = Buffer.from(part.buffer, part.byteOffset, part.byteLength)
  const rows: EngineWrite[] = []
  for (let at = 0; at < buffer.length;) {
    const key = at + LENGTHS_BYTES
    const value = key + buffer.readUInt32BE(at)
    const end = value + buffer.readUInt32BE(at + 4)
    rows.push({ key: buffer.toString("latin1", key, value), value: buffer.subarray(value, end) })
    at = end
  }
  return rows
}
