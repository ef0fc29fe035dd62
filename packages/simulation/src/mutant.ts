/**
 * Mutants: small faults put into the product on purpose, to prove that the simulation would notice them.
 *
 * A mutant names a source file and a piece of its text, which must occur exactly once, and what stands there instead. It
 * is applied while the module is loaded, so the product carries no test hooks, and a mutant whose text no longer exists
 * is an error, not a silent pass.
 */
import { readFileSync } from "node:fs"
import * as module from "node:module"
import { fileURLToPath } from "node:url"

export interface Mutant {
  readonly name: string
  /** What a reviewer would have to overlook. */
  readonly fault: string
  /** The file, from the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The suite that must catch it. */
  readonly suite: string
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url))

/** Reads the mutant's file and makes the change. Throws when the text is not there exactly once. */
export function mutate(mutant: Mutant): string {
  const source = readFileSync(ROOT + mutant.file, "utf8")
  const parts = source.split(mutant.find)
  if (parts.length !== 2) {
    throw new Error(`mutant ${mutant.name}: its text occurs ${parts.length - 1} times in ${mutant.file}, not once`)
  }
  return parts.join(mutant.replace)
}

/** From now on, loading the mutant's file gives the changed one. Must run before the product is imported. */
export function install(mutant: Mutant): void {
  const url = new URL(`../../../${mutant.file}`, import.meta.url).href
  const source = mutate(mutant)
  module.registerHooks({
    load(target, context, nextLoad) {
      if (target !== url) return nextLoad(target, context)
      return { format: "module", source: module.stripTypeScriptTypes(source), shortCircuit: true }
    },
  })
}
