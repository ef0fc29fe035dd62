/** The broker's configuration table: Kafka's names and defaults. */
import { define, type Values } from "@millrace/config"
import { acceptedConfig } from "./accepted.ts"
import { controllerConfig } from "./controller.ts"
import { coordinatorConfig } from "./coordinators.ts"
import { logConfig } from "./log.ts"
import { networkConfig } from "./network.ts"
import { securityConfig } from "./security.ts"

export const brokerConfig = define({
  ...networkConfig,
  ...securityConfig,
  ...controllerConfig,
  ...logConfig,
  ...coordinatorConfig,
  ...acceptedConfig,
})

export type BrokerConfig = Values<typeof brokerConfig>
