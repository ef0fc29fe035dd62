/**
 * npm run fuzz: hostile frames to the codecs, to a broker in this process, and over TCP to one of its own.
 *
 * Exit code 1 with what was found. What goes to the broker in this process is a function of the seed alone.
 */
import { existsSync, readFileSync } from "node:fs"
import { countArgument, scriptArguments } from "../script-arguments.ts"
import { TURN_MS_MAX } from "./broker-target.ts"
import { describeFinding, type Finding, type Tally } from "./findings.ts"
import { fuzzInProcess, replayInProcess, RSS_MIB_MAX } from "./in-process.ts"
import { fuzzProcess, RSS_MIB_MAX as BROKER_RSS_MIB_MAX } from "./process-target.ts"

const FRAMES_DEFAULT = 100_000
/** Of so many frames in this process one more goes over TCP. */
const PROCESS_SHARE = 50
const FINDINGS_SHOWN_MAX = 10
const PROGRESS_MS = 5_000

const USAGE = `npm run fuzz [-- options]
  --frames N           to the codecs and to a broker in this process; ${FRAMES_DEFAULT} without it
  --process-frames M   over TCP to a broker of its own; a ${PROCESS_SHARE}th of the others without it
  --seed S             any without it
  --replay HEX|FILE    one frame alone, as a failure printed it
  --sasl               that frame to a broker that asks for authentication`

const { values: options } = scriptArguments(USAGE, {
  options: {
    frames: { type: "string", default: String(FRAMES_DEFAULT) },
    "process-frames": { type: "string" },
    seed: { type: "string" },
    replay: { type: "string" },
    sasl: { type: "boolean", default: false },
  },
})

process.exitCode = options.replay === undefined ? await fuzz() : await replay(options.replay)

async function fuzz(): Promise<number> {
  const frames = countArgument(USAGE, "frames", options.frames)
  const processFrames = countArgument(
    USAGE,
    "process-frames",
    options["process-frames"] ?? String(Math.ceil(frames / PROCESS_SHARE)),
  )
  const seed = countArgument(USAGE, "seed", options.seed ?? String(Math.floor(Math.random() * 1e9)))
  const startedMs = performance.now()
  const seconds = () => Math.round((performance.now() - startedMs) / 1_000)
  let toldMs = startedMs
  const onProgress =
    (what: string, total: number) =>
    (done: number, { answered, closed, waited }: Tally) => {
      if (performance.now() - toldMs < PROGRESS_MS) return
      toldMs = performance.now()
      console.log(`${what}: ${done}/${total}, ${answered} answered, ${closed} closed, ${waited} waited, ${seconds()} s`)
    }
  console.log(`seed ${seed}`)
  const inside = await fuzzInProcess({
    frames,
    seed,
    turnMsMax: TURN_MS_MAX,
    onProgress: onProgress("in process", frames),
  })
  tell(inside.findings, seed)
  const outside = await fuzzProcess({ frames: processFrames, seed, onProgress: onProgress("over TCP", processFrames) })
  tell(outside.findings, seed)
  const found = inside.findings.length + outside.findings.length
  const sum = (part: "answered" | "closed" | "waited" | "silent") => inside.tally[part] + outside.tally[part]
  console.log(
    `${found === 0 ? "passed" : "FAILED"}: ${inside.frames + outside.frames} frames of seed ${seed} in ${seconds()} s: ` +
      `${sum("answered")} answered, ${sum("closed")} closed, ${sum("waited")} waited, ${sum("silent")} without an answer due; ` +
      `${found} findings; slowest ${Math.round(inside.tally.slowestMs)} ms of CPU time (${inside.tally.slowest}); ` +
      `at most ${Math.round(inside.rssMibMax)} of ${RSS_MIB_MAX} MiB here, ${Math.round(outside.rssMibMax)} of ${BROKER_RSS_MIB_MAX} MiB in the broker`,
  )
  return found === 0 ? 0 : 1
}

async function replay(given: string): Promise<number> {
  const hex = existsSync(given) ? readFileSync(given, "utf8").trim() : given
  // A pattern with a group would run out of stack: frames have megabytes.
  if (hex.length === 0 || hex.length % 2 !== 0 || /[^0-9a-f]/i.test(hex))
    throw new Error("--replay: expected a frame in hex, or a file with one")
  const findings = await replayInProcess(Buffer.from(hex, "hex"), options.sasl)
  tell(findings, 0)
  console.log(findings.length === 0 ? "passed: answered, or closed cleanly" : `FAILED: ${findings.length} findings`)
  return findings.length === 0 ? 0 : 1
}

function tell(findings: readonly Finding[], seed: number): void {
  for (const finding of findings.slice(0, FINDINGS_SHOWN_MAX)) console.error(describeFinding(finding, seed))
}
