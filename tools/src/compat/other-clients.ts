/**
 * Clients for Python and Node that the clients of the first section are not: each does the same on one broker.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { BrokerProcess } from "../torture/broker-process.ts"
import { confluentChecks } from "./confluent.ts"
import { platformaticChecks } from "./platformatic.ts"
import { pythonChecks } from "./python-clients.ts"
import type { Suite } from "./suite.ts"

export const otherClients: Suite = {
  title: "Clients for Python and Node",

  async run(perform) {
    const directory = mkdtempSync(path.join(tmpdir(), "millrace-compat-clients-"))
    const broker = new BrokerProcess(path.join(directory, "log"), ["group.initial.rebalance.delay.ms=0"])
    try {
      await broker.start()
      await perform(pythonChecks(broker.address))
      await perform(platformaticChecks(broker.address))
      await perform(confluentChecks(broker.address))
    } finally {
      await broker.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
