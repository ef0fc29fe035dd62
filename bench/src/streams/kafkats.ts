/**
 * The topologies of suite "streams" in @kafkats/flow, and the process that runs one, with its defaults: state in memory,
 * changelogs on. The module's directory comes from the environment, since it is installed for the benchmark alone.
 *
 * It has no repartition topics: what is keyed anew is counted where it is read, right in one process only.
 */
import type { Bill, Customer, Order, Payment, Stats } from "./data.ts"
import type { Job } from "./job.ts"

const { flow, codec, string, TimeWindows } = await import(process.env["KAFKATS_FLOW"]!)
const job = JSON.parse(process.argv[2]!) as Job
const { topics, output } = job

const json = codec.json()
const int64 = {
  encode(value: number): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(value))
    return bytes
  },
  decode: (bytes: Buffer): number => Number(bytes.readBigInt64BE()),
}
const text = string()
const of = (value: unknown) => ({ key: text, value })

const app = flow({
  applicationId: job.application,
  client: { brokers: [job.brokers], clientId: job.application },
  processingGuarantee: job.guarantee === "exactly-once" ? "exactly_once" : "at_least_once",
  commitIntervalMs: job.commitMs,
  consumer: { autoOffsetReset: "earliest" },
})
const stream = (input: string) => app.stream(topics[input]!, of(json))
switch (job.workload) {
  case "stateless":
    stream("orders")
      .filter((_key: string, order: Order) => order.quantity > 5)
      .mapValues((order: Order): unknown => ({
        order: order.id,
        customer: order.customer,
        tier: "none",
        total: order.quantity * order.price,
      }))
      .to(output, of(json))
    break
  case "count":
    stream("orders")
      .groupBy((_key: string, order: Order) => order.product, of(json))
      .count({ storeName: "by-product", key: text, value: int64 })
      .toStream()
      .to(output, of(int64))
    break
  case "window":
    stream("orders")
      .groupByKey(of(json))
      .windowedBy(TimeWindows.of("1m"))
      .aggregate(
        () => ({ count: 0, total: 0, greatest: 0 }),
        (_key: string, { quantity, price }: Order, sum: Stats) => ({
          count: sum.count + 1,
          total: sum.total + quantity * price,
          greatest: Math.max(sum.greatest, quantity * price),
        }),
        { storeName: "by-minute", key: text, value: json },
      )
      .toStream()
      .map((key: { key: string; window: { start: number } }, sum: Stats) => [`${key.key} ${key.window.start}`, sum])
      .to(output, of(json))
    break
  case "join-table":
    stream("orders")
      .join(app.table(topics["customers"]!, of(json)), (order: Order, customer: Customer): Partial<Bill> => ({
        order: order.id,
        customer: customer.id,
        tier: customer.tier,
        total: order.quantity * order.price,
      }))
      .to(output, of(json))
    break
  case "join-stream":
    stream("orders-by-id")
      .join(
        stream("payments"),
        (order: Order, payment: Payment): Partial<Bill> => ({
          order: order.id,
          customer: order.customer,
          tier: "none",
          total: payment.amount,
        }),
        { within: TimeWindows.of("1m"), key: text, value: json, otherValue: json },
      )
      .to(output, of(json))
    break
}
process.once("SIGTERM", () => void app.close().finally(() => process.exit(0)))
await app.start()
