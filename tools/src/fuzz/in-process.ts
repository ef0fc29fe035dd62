/** Frames to the codecs and to a broker in this process: a new one after some thousand, so that what they leave is bounded. */
import { FuzzedBroker } from "./broker-target.ts"
import { codecCase } from "./codec-target.ts"
import { type Finding, newTally, type Tally } from "./findings.ts"

const EPOCH_FRAMES = 4_000
/** The time that records of the codecs' share are of. */
const NOW_MS = 1_767_225_600_000
/**
 * This process at most, generator and broker together: one batch decompressed to its limit of 64 MiB in a frame of some
 * megabytes, on top of what both are at rest, before the collector comes.
 */
export const RSS_MIB_MAX = 1_536

export interface InProcessOptions {
  readonly frames: number
  readonly seed: number
  /** Longest that one frame may keep the broker busy; left out where what else the machine does would decide. */
  readonly turnMsMax?: number
  readonly onProgress?: (done: number, tally: Tally) => void
}

export interface InProcessResult {
  readonly findings: readonly Finding[]
  readonly tally: Tally
  readonly frames: number
  readonly rssMibMax: number
}

/** Ends with the epoch in which something was found. */
export async function fuzzInProcess({
  frames,
  seed,
  turnMsMax,
  onProgress,
}: InProcessOptions): Promise<InProcessResult> {
  const tally = newTally()
  const findings: Finding[] = []
  let current: FuzzedBroker | undefined
  const uncaught = (cause: unknown) => void current?.uncaught(cause)
  for (const event of ["unhandledRejection", "uncaughtException"] as const) process.on(event, uncaught)
  let [done, rssMibMax] = [0, 0]
  try {
    for (let epoch = 0; done < frames && findings.length === 0; epoch++) {
      const broker = (current = new FuzzedBroker(seed, epoch, tally, turnMsMax))
      await broker.start()
      const end = Math.min(frames, done + EPOCH_FRAMES)
      while (done < end && broker.findings.length === 0) {
        const one = codecCase(done, seed, broker.words, NOW_MS)
        try {
          one.run()
        } catch (cause) {
          const stack = (cause instanceof Error && cause.stack) || String(cause)
          findings.push({ what: `the codec of ${one.what} throws ${stack}`, frame: one.bytes })
        }
        await broker.feed(done++)
        rssMibMax = Math.max(rssMibMax, process.memoryUsage.rss() / 2 ** 20)
      }
      if (broker.findings.length === 0) await broker.finish()
      findings.push(...broker.findings)
      if (rssMibMax > RSS_MIB_MAX) findings.push({ what: `the process took ${Math.round(rssMibMax)} MiB` })
      onProgress?.(done, tally)
    }
  } finally {
    for (const event of ["unhandledRejection", "uncaughtException"] as const) process.off(event, uncaught)
  }
  return { findings, tally, frames: done, rssMibMax }
}

/** One frame alone, to a broker that has seen no other. */
export async function replayInProcess(bytes: Uint8Array, sasl: boolean): Promise<readonly Finding[]> {
  const broker = new FuzzedBroker(0, 0, newTally())
  await broker.start()
  const isWhole = bytes.length >= 4 && Buffer.from(bytes).readInt32BE(0) === bytes.length - 4
  await broker.send({ bytes, what: "the frame", isWhole }, 0, sasl)
  await broker.finish()
  return broker.findings
}
