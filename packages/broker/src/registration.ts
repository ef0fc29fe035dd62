/**
 * How a broker that has started makes itself known: one registration record, and with it the features of a cluster that has none.
 */
import type { BrokerConfig } from "./config/broker.ts"
import { registerBroker } from "./controller/brokers.ts"
import type { Controller } from "./controller/controller.ts"
import { initialFeatures } from "./controller/features.ts"
import type { ListenerSpec } from "./network/listeners.ts"

export interface RegisterOptions {
  readonly nodeId: number
  readonly config: BrokerConfig
  readonly cleanShutdown: boolean
  readonly directoryId: string
  readonly newUuid: () => string
}

export function register(controller: Controller, advertised: readonly ListenerSpec[], options: RegisterOptions): void {
  const { nodeId, config, cleanShutdown, newUuid, directoryId } = options
  const { image } = controller
  const features = initialFeatures(image)
  const registration = {
    brokerId: nodeId,
    incarnationId: newUuid(),
    endpoints: advertised.map(({ name, address, protocol }) => ({
      name,
      protocol,
      host: address.host,
      port: address.port,
    })),
    rack: config["broker.rack"],
    directoryId,
    cleanShutdown,
  }
  // A broker's epoch is the offset of its registration.
  const registered = registerBroker(image, registration, controller.nextOffset + features.length)
  controller.write([...features, ...registered])
}
