/**
 * What is fetched or built for other people's programs: in the user's cache, and never in the repository.
 */
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { homedir } from "node:os"
import * as path from "node:path"

/** A directory of the cache. It is filled when it is asked for first, and is whole or absent. */
export async function cached(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
  const root = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "millrace")
  const target = path.join(root, name)
  if (existsSync(target)) return target
  await mkdir(root, { recursive: true })
  const staging = await mkdtemp(`${target}-`)
  try {
    await fill(staging)
    // When two runs fill it at once, the loser's copy is dropped.
    await rename(staging, target).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(target)) throw error
    })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
  return target
}
