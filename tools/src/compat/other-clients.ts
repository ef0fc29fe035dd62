/**
 * Clients for Python and Node that the clients of the first section are not: each does the same on one broker.
 */
import { confluentChecks } from "./confluent.ts"
import { withBroker } from "./own-broker.ts"
import { platformaticChecks } from "./platformatic.ts"
import { pythonChecks } from "./python-clients.ts"
import type { Suite } from "./suite.ts"

export const otherClients: Suite = {
  title: "Clients for Python and Node",

  async run(perform) {
    await withBroker(["group.initial.rebalance.delay.ms=0"], async ({ address }) => {
      await perform(pythonChecks(address))
      await perform(platformaticChecks(address))
      await perform(confluentChecks(address))
    })
  },
}
