/**
 * What threads-suite.ts runs: a module that threads load. Names end as the suite says, where brokers outlive it.
 */
import { existsSync, rmSync } from "node:fs"
import { json, string } from "@millrace/schema"
import * as S from "../../src/index.ts"

const named = (name: string): string => name + (process.env["THREADS_SUFFIX"] ?? "")

export const Words = S.topic(named("threads-in"), { key: string, value: string })
export const Counts = S.topic(named("threads-out"), { key: string, value: json<number>() })

/** A word that fails the pipeline; one that begins so ends the thread that reads it, once: while there is a file by the rest. */
export const BAD = "bad"
export const DEADLY = "deadly:"

/** One task of each partition reads, one counts. */
export const counting = S.pipeline(named("threads-app"), () =>
  S.stream(Words).pipe(
    S.tap((word) => {
      if (word === BAD) throw new RangeError(`no such word: ${word}`)
      const file = word.startsWith(DEADLY) ? word.slice(DEADLY.length) : ""
      if (file === "" || !existsSync(file)) return
      rmSync(file)
      process.exit(7)
    }),
    S.keyBy((word) => word),
    S.count("words"),
    S.toStream(),
    S.to(Counts),
  ),
)
