/**
 * Tells of changes to files in a directory and below, by one watch for each directory: a file that is replaced, as by editors
 * that write beside it and rename, goes on to be watched. Node's own recursive watch is of each file on Linux, and lost such a one.
 */
import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from "node:fs"
import * as path from "node:path"

export interface TreeWatch {
  close(): void
}

/** `told` gets paths below `root`. Directories whose names `isIgnored` are left out, with what they hold. */
export function watchTree(root: string, isIgnored: (name: string) => boolean, told: (name: string) => void): TreeWatch {
  const watchers = new Map<string, FSWatcher>()
  const drop = (directory: string) => {
    watchers.get(directory)?.close()
    watchers.delete(directory)
  }
  /** `isNew`: it came after the watch began, maybe with files in it. */
  const add = (directory: string, isNew: boolean) => {
    drop(directory)
    let entries: Dirent[]
    try {
      const watcher = watch(directory, (type, name) => {
        if (name === null || isIgnored(name)) return
        const changed = path.join(directory, name)
        // Only what comes or goes is looked up: a log that grows in there is told with each write.
        if (type === "rename" && isDirectory(changed)) add(changed, true)
        else told(path.relative(root, changed))
      })
      watcher.on("error", () => drop(directory))
      watchers.set(directory, watcher)
      entries = readdirSync(directory, { withFileTypes: true })
    } catch (gone) {
      if (directory === root) throw gone
      return
    }
    for (const entry of entries) {
      if (isIgnored(entry.name)) continue
      const found = path.join(directory, entry.name)
      if (entry.isDirectory()) add(found, isNew)
      else if (isNew) told(path.relative(root, found))
    }
  }
  add(root, false)
  return {
    close() {
      for (const directory of watchers.keys()) drop(directory)
    },
  }
}

function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory()
  } catch {
    return false
  }
}
