/**
 * A page that is followed from top to bottom, as steps: files to save, commands to run, output to see.
 *
 *     ```ts    a file, named by the paragraph before it as in page-examples.ts; a later one of that name takes its place
 *     ```json  so too
 *     ```sh    commands. A paragraph before that names a terminal other than the third starts what goes on there, in the place
 *              of what ran there before; all else runs to its end. PID is what runs in the second
 *     ```text  what the commands before print, or what a terminal prints anew; … stands for anything within a line
 *
 * What is indented, and not fenced, is for people alone.
 */
const BLOCK = /(?:^|\n\n)((?:(?!```)[^\n]+\n)*?)\n?```(ts|json|sh|text)\n([\s\S]*?)\n```/g
const FILE = /`(?:[^`]* )?([\w-]+(?:\.test)?\.(?:ts|json))`/g
const TERMINAL = /\b(first|second)\s+terminal\b/

export type PageStep =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "start"; readonly terminal: string; readonly text: string }
  | { readonly kind: "run"; readonly text: string }
  /** Printed by the step before, or by what goes on in the terminal. */
  | { readonly kind: "see"; readonly terminal: string | undefined; readonly text: string }

export function stepsOf(page: string, markdown: string): PageStep[] {
  const steps: PageStep[] = []
  for (const [, paragraph, language, code] of markdown.matchAll(BLOCK)) {
    const text = `${code}\n`
    const terminal = TERMINAL.exec(paragraph!)?.[1]
    if (language === "ts" || language === "json") {
      const name = [...paragraph!.matchAll(FILE)].at(-1)?.[1]
      if (name === undefined) throw new Error(`${page}: the paragraph before this file does not name it:\n${code}`)
      steps.push({ kind: "file", name, text })
    } else if (language === "text") {
      const last = steps.at(-1)
      steps.push({ kind: "see", text, terminal: terminal ?? (last?.kind === "start" ? last.terminal : undefined) })
    } else {
      steps.push(terminal === undefined ? { kind: "run", text } : { kind: "start", terminal, text })
    }
  }
  return steps
}

/** Lines as the page shows them, as a pattern. */
export function patternOf(shown: string): RegExp {
  const parts = shown.trimEnd().split("…")
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`, "m")
}
