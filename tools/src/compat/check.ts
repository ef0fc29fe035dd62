/**
 * One thing that a foreign client did against our broker, and whether it went well.
 */
import { execFile, spawn } from "node:child_process"
import { promisify } from "node:util"

export interface Check {
  /** The program and version, such as "kcat 1.7.1". */
  readonly client: string
  readonly name: string
  /** Throws what went wrong; answers with a note for the table. */
  run(): Promise<string>
}

export interface Outcome {
  readonly client: string
  readonly name: string
  readonly result: "passed" | "failed" | "skipped"
  readonly note: string
}

/** A check that cannot run here: the reason goes into the table. */
export class Skip extends Error {
  override readonly name = "Skip"
}

export async function perform(check: Check): Promise<Outcome> {
  const { client, name } = check
  try {
    return { client, name, result: "passed", note: await check.run() }
  } catch (error) {
    if (error instanceof Skip) return { client, name, result: "skipped", note: error.message }
    return { client, name, result: "failed", note: error instanceof Error ? error.message : String(error) }
  }
}

const OUTPUT_BYTES_MAX = 512 * 1024 * 1024
const RUN_TIMEOUT_MS = 180_000

/** Runs a program to its end; a non-zero exit throws with the end of what it said. */
export async function execute(
  program: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  try {
    return await promisify(execFile)(program, [...args], { maxBuffer: OUTPUT_BYTES_MAX, timeout: RUN_TIMEOUT_MS })
  } catch (error) {
    const { stdout = "", stderr = "", code } = error as { stdout?: string; stderr?: string; code?: number | string }
    if (code === "ENOENT") throw new Skip(`${program} is not installed`)
    throw new Error(`${program} ended with ${code}: ${(stderr + stdout).slice(-1_500)}`, { cause: error })
  }
}

/** Runs a program with bytes on its standard input and answers with the bytes of its output. */
export function pipeThrough(program: string, args: readonly string[], input: Uint8Array | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], timeout: RUN_TIMEOUT_MS })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk))
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? new Skip(`${program} is not installed`) : error),
    )
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(output))
      else reject(new Error(`${program} ended with ${code}: ${Buffer.concat(errors).toString().slice(-1_500)}`))
    })
    child.stdin.on("error", () => {})
    child.stdin.end(input)
  })
}
