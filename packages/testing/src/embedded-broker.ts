/**
 * A real broker for a test: on a free port of the loopback, with its data in a directory of its own that `close` removes.
 */
import { tmpdir } from "node:os"
import { Broker } from "@millrace/broker"
import { KafkaClient } from "@millrace/client"
import { formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"

export interface EmbeddedBrokerOptions {
  /** Broker settings by Kafka's names. `log.retention.ms` is -1 unless said otherwise: a test's times may be any. */
  readonly config?: Readonly<Record<string, string>>
  /** Data that stays; default: a new directory that `close` removes. */
  readonly dataDir?: string
}

export interface EmbeddedBroker extends AsyncDisposable {
  /** For `bootstrap.servers`. */
  readonly brokers: string
  readonly dataDir: string
  /** A client of this broker; closed with it. */
  client(): KafkaClient
  close(): Promise<void>
}

export async function embeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const host = nodeHost
  const name = `millrace-${Buffer.from(host.random.bytes(9)).toString("base64url")}`
  const dataDir = options.dataDir ?? `${tmpdir()}/${name}`
  host.disk.makeDirectory(dataDir)
  const listen = { host: "127.0.0.1", port: 0 }
  const broker = await Broker.start({ host, dataDir, listen, config: { "log.retention.ms": "-1", ...options.config } })
  const brokers = formatAddress(broker.address)
  const clients: KafkaClient[] = []
  const close = async () => {
    await Promise.allSettled(clients.map((client) => client.close()))
    await broker.close()
    if (options.dataDir === undefined) host.disk.remove(dataDir)
  }
  return {
    brokers,
    dataDir,
    client() {
      const client = new KafkaClient({ host, brokers })
      clients.push(client)
      return client
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
