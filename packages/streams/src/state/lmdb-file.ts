/**
 * Whether a file can be given to LMDB, which trusts what it maps: a damaged head or a file cut short ends the process with a
 * signal, again and again, where state could be rebuilt from its changelogs. So the two meta pages are looked at before.
 *
 * Both begin with a page header of 24 bytes; the numbers are little-endian on all platforms that LMDB files may come from,
 * since they are not portable. What lies in pages behind them is checked value by value: lmdb-engine.ts.
 */
import type { Disk } from "@millrace/host"

const FLAGS_AT = 18
const META_FLAG = 0x08
const MAGIC_AT = 24
const MAGIC = 0xbeefc0de
const VERSION_AT = 28
const VERSION = 2
const PAGE_BYTES_AT = 48
const FREE_ROOT_AT = 88
const MAIN_ROOT_AT = 136
const TRANSACTION_AT = 152
const META_BYTES = 160
const PAGE_BYTES_MIN = 512
const PAGE_BYTES_MAX = 65_536
/** Of a tree without pages. */
const NO_ROOT = 2n ** 64n - 1n

/** What is wrong with the file; undefined when nothing is, or there is none. */
export function lmdbFileFault(disk: Disk, path: string): string | undefined {
  if (!disk.exists(path)) return undefined
  const file = disk.open(path, { readOnly: true })
  try {
    const size = file.size()
    // LMDB makes a new file by itself.
    if (size === 0) return undefined
    const metaAt = (position: number) => {
      const bytes = new Uint8Array(META_BYTES)
      return file.read(bytes, 0, META_BYTES, position) === META_BYTES ? new DataView(bytes.buffer) : undefined
    }
    return faultOf(metaAt, size)
  } finally {
    file.close()
  }
}

function faultOf(metaAt: (position: number) => DataView | undefined, size: number): string | undefined {
  const pageBytes = metaAt(0)?.getUint32(PAGE_BYTES_AT, true) ?? 0
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX || (pageBytes & (pageBytes - 1)) !== 0)
    return "its head is not that of an LMDB file"
  const metas = [metaAt(0), metaAt(pageBytes)]
  for (const [page, meta] of metas.entries()) {
    if (meta === undefined) return `it ends after ${size} bytes`
    if (meta.getUint32(MAGIC_AT, true) !== MAGIC || (meta.getUint16(FLAGS_AT, true) & META_FLAG) === 0)
      return `its meta page ${page} is damaged`
    const version = meta.getUint32(VERSION_AT, true)
    if (version !== VERSION) return `its format is version ${version}, and ${VERSION} is known`
  }
  const [first, second] = metas as [DataView, DataView]
  const transaction = (meta: DataView) => meta.getBigUint64(TRANSACTION_AT, true)
  const latest = transaction(second) > transaction(first) ? second : first
  for (const at of [FREE_ROOT_AT, MAIN_ROOT_AT]) {
    const root = latest.getBigUint64(at, true)
    if (root !== NO_ROOT && (root + 1n) * BigInt(pageBytes) > BigInt(size)) return `it ends after ${size} bytes`
  }
  return undefined
}
