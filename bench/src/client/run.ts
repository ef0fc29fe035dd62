/**
 * The process that reads or writes with one client, and prints the CPU seconds, of all its threads, that the records after
 * the warm-up took.
 *
 *   CLIENT_MODULE=… node bench/src/client/run.ts '{"peer":"kafkajs",…}'
 */
import type { ClientPeer, Message } from "./peer.ts"

export interface Job {
  /** The name of a file beside this one. */
  readonly peer: string
  readonly action: "consume" | "produce"
  readonly brokers: string
  readonly topic: string
  readonly group: string
  readonly valueBytes: number
  readonly records: number
  readonly warmUp: number
}

export interface Sample {
  readonly cpuSeconds: number
  readonly bytes: number
}

/** As many different values as there are, so that none is faster for being the same. */
const VALUES = 1_000

export const messagesOf = (valueBytes: number): ((n: number) => Message) => {
  const values = Array.from({ length: VALUES }, (_, index) => {
    const value = Buffer.alloc(valueBytes)
    for (let at = 0; at < valueBytes; at++) value[at] = 97 + ((index * 31 + at * 7) % 26)
    return value
  })
  return (n) => ({ key: `key-${n}`, value: values[n % VALUES]! })
}

async function sampleOf({ peer: name, action, records, warmUp, valueBytes, ...target }: Job): Promise<Sample> {
  const { peer } = (await import(`./${name}.ts`)) as { peer: ClientPeer }
  const cpuSecondsSince = (start: NodeJS.CpuUsage) => {
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1e6
  }
  let start = process.cpuUsage()
  if (action === "produce") {
    const writer = await peer.writer(target)
    const messageAt = messagesOf(valueBytes)
    await writer.write(warmUp, messageAt)
    start = process.cpuUsage()
    await writer.write(records, messageAt)
    const cpuSeconds = cpuSecondsSince(start)
    await writer.close()
    return { cpuSeconds, bytes: records * valueBytes }
  }
  let count = 0
  let bytes = 0
  let cpuSeconds = 0
  await peer.read(target, (length) => {
    if (++count === warmUp) start = process.cpuUsage()
    if (count > warmUp && count <= warmUp + records) bytes += length
    if (count === warmUp + records) cpuSeconds = cpuSecondsSince(start)
    return count < warmUp + records
  })
  return { cpuSeconds, bytes }
}

if (process.argv[1] === import.meta.filename) {
  const sample = await sampleOf(JSON.parse(process.argv[2]!) as Job)
  console.log(JSON.stringify(sample))
  process.exit(0)
}
