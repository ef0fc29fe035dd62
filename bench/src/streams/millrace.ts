/**
 * The topologies of suite "streams" in Millrace, and the process that runs one: with the defaults, state on disk as a user
 * would have it, and commits every 100 ms.
 *
 *   node bench/src/streams/millrace.ts '{"workload":…}'
 */
import { nodeHost } from "@millrace/host/node"
import { int64, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Bill, type Format, fixedRegistry, serdesOf, Stats } from "./data.ts"
import type { Job } from "./job.ts"
import type { WorkloadName } from "./rows.ts"

function topologyOf(workload: WorkloadName, format: Format, input: (name: string) => string, output: string) {
  const serdes = serdesOf(format)
  const bills = S.topic(output, { key: string, value: serdes.bill })
  const orders = (name = "orders") => S.stream(S.topic(input(name), { key: string, value: serdes.order }))
  const isPlain = format === "json"
  // Avro of a class takes its instances; JSON takes anything.
  const bill = (value: ConstructorParameters<typeof Bill>[0]): Bill => (isPlain ? (value as Bill) : new Bill(value))
  const stats = (value: ConstructorParameters<typeof Stats>[0]): Stats =>
    isPlain ? (value as Stats) : new Stats(value)
  switch (workload) {
    case "stateless":
      return orders().pipe(
        S.filter((order) => order.quantity > 5),
        S.map((order) =>
          bill({ order: order.id, customer: order.customer, tier: "none", total: order.quantity * order.price }),
        ),
        S.to(bills),
      )
    case "count":
      return orders().pipe(
        S.keyBy((order) => order.product, { key: string }),
        S.count("by-product"),
        S.toStream(),
        S.to(S.topic(output, { key: string, value: int64 })),
      )
    case "window":
      return orders().pipe(
        S.window(S.tumbling("1 minute", { grace: "1 minute" })),
        S.aggregate("by-minute", {
          init: () => ({ count: 0, total: 0, greatest: 0 }),
          add: (sum, { quantity, price }) => ({
            count: sum.count + 1,
            total: sum.total + quantity * price,
            greatest: Math.max(sum.greatest, quantity * price),
          }),
        }),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: `${key.key} ${key.start}`, value: stats(value) })),
        S.to(S.topic(output, { key: string, value: serdes.stats })),
      )
    case "join-table":
      return orders().pipe(
        S.joinTable(
          "customer",
          S.table(S.topic(input("customers"), { key: string, value: serdes.customer })),
          (order, customer) =>
            bill({
              order: order.id,
              customer: customer.id,
              tier: customer.tier,
              total: order.quantity * order.price,
            }),
        ),
        S.to(bills),
      )
    case "join-stream":
      return orders("orders-by-id").pipe(
        S.joinStream(
          "paid",
          S.stream(S.topic(input("payments"), { key: string, value: serdes.payment })),
          { within: "1 minute" },
          (order, payment) => bill({ order: order.id, customer: order.customer, tier: "none", total: payment.amount }),
        ),
        S.to(bills),
      )
  }
}

if (process.argv[1] === import.meta.filename) {
  const job = JSON.parse(process.argv[2]!) as Job
  const { workload, format, topics, output } = job
  const handle = await S.run(
    S.pipeline(job.application, () => topologyOf(workload, format, (name) => topics[name]!, output)),
    {
      host: nodeHost,
      brokers: job.brokers,
      stateDir: job.directory,
      processingGuarantee: job.guarantee,
      commitIntervalMs: job.commitMs,
      registry: fixedRegistry,
    },
  )
  process.once("SIGTERM", () => void handle.close().then(() => process.exit(0)))
  await handle.done
}
