/**
 * Native libraries, loaded when they are first called: loading one costs some milliseconds of every start.
 */
import { createRequire } from "node:module"

const require = createRequire(import.meta.url)

export function lazily<Library>(name: string): () => Library {
  let library: Library | undefined
  return () => (library ??= require(name) as Library)
}
