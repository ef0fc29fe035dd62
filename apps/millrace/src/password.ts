/**
 * A password from standard input: its first line.
 *
 * A terminal does not show what is typed, and is as it was afterwards, whatever happens. Standard input is let go of behind the
 * line: neither a terminal nor a writer that keeps a pipe open holds the process up.
 */
import { createInterface } from "node:readline/promises"
import { Writable } from "node:stream"
import { linesOf } from "./lines.ts"

export interface PasswordSource {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  /** Where a terminal is asked; what is typed is not written there. */
  readonly output: NodeJS.WritableStream
  /** Ctrl-C on the terminal, which is as it was by then. */
  readonly interrupted: () => void
}

const standardInput = (): PasswordSource => ({
  input: process.stdin,
  output: process.stderr,
  interrupted: () => process.kill(process.pid, "SIGINT"),
})

/** Undefined when there is no line. */
export async function readPassword(prompt: string, source = standardInput()): Promise<string | undefined> {
  const { input } = source
  if (input.isTTY) return readHidden(prompt, source)
  for await (const line of linesOf(input as AsyncIterable<Buffer>)) return Buffer.from(line).toString()
  return undefined
}

async function readHidden(prompt: string, { input, output, interrupted }: PasswordSource): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  let isInterrupted = false
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      lines.once("line", resolve)
      lines.once("close", () => resolve(undefined))
      lines.once("error", reject)
      lines.once("SIGINT", () => {
        isInterrupted = true
        resolve(undefined)
      })
      // The terminal shows nothing from here on: what is typed as soon as it asks is not seen either.
      output.write(prompt)
    })
  } finally {
    lines.close()
    output.write("\n")
    if (isInterrupted) interrupted()
  }
}
