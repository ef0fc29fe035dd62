/**
 * The way in: what all producers, consumers and admins of one program share is their settings, not their connections.
 */
import { Admin } from "./admin/admin.ts"
import { Cluster, type ClusterOptions } from "./cluster.ts"
import { Consumer } from "./consumer/consumer.ts"
import type { ConsumerOptions } from "./consumer/options.ts"
import { ClosedError } from "./errors.ts"
import { type ClientEnv, type ClientOptions, resolveOptions } from "./options.ts"
import type { ProducerOptions } from "./producer/options.ts"
import { Producer } from "./producer/producer.ts"

export class KafkaClient {
  readonly #env: ClientEnv
  readonly #children = new Set<{ close(): Promise<void> }>()
  #closed = false

  constructor(options: ClientOptions) {
    this.#env = resolveOptions(options)
  }

  producer(options: ProducerOptions = {}): Producer {
    const allowAutoTopicCreation = options.allowAutoTopicCreation ?? true
    return this.#keep(new Producer(this.#cluster({ allowAutoTopicCreation, telemetry: "producer" }), options))
  }

  consumer(options: ConsumerOptions = {}): Consumer {
    return this.#keep(new Consumer(this.#cluster({ telemetry: "consumer" }), options))
  }

  admin(): Admin {
    return this.#keep(new Admin(this.#cluster({ telemetry: "admin.client" })))
  }

  /** Closes everything that this client made. */
  async close(): Promise<void> {
    this.#closed = true
    const results = await Promise.allSettled([...this.#children].map((child) => child.close()))
    this.#children.clear()
    const failed = results.find((result) => result.status === "rejected")
    if (failed) throw failed.reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #cluster(options: ClusterOptions): Cluster {
    if (this.#closed) throw new ClosedError("the client is closed")
    return new Cluster(this.#env, options)
  }

  #keep<T extends { close(...how: any[]): Promise<void> }>(child: T): T {
    this.#children.add(child)
    const close = child.close.bind(child)
    // What was closed by its user is not ours to keep.
    child.close = (...how) => close(...how).finally(() => this.#children.delete(child))
    return child
  }
}
