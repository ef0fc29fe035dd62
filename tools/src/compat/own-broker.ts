/** A broker process of a suite's own, on a fresh data directory that goes with it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { BrokerProcess } from "../torture/broker-process.ts"

export async function withBroker(
  settings: readonly string[],
  use: (broker: BrokerProcess) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-compat-"))
  const broker = new BrokerProcess(path.join(directory, "log"), settings)
  try {
    await broker.start()
    await use(broker)
  } finally {
    await broker.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
