/**
 * What flows through the topologies of suite "streams": orders of customers, and payments of orders. Record number n is
 * the same in every run, so that what must come out can be computed without reading anything.
 */
import { type AvroSerde, avro, json, type Serde, type SchemaText, type Registry } from "@millrace/schema"
import { Schema } from "effect"

export const CUSTOMERS = 10_000
export const PRODUCTS = 10_000
const START_MS = 1_700_000_000_000
/** Event time between two orders. */
const STEP_MS = 2
/** Customers are there before the first order: a row of the same time may come after it. */
export const CUSTOMER_MS = START_MS - 1
/** A payment follows its order by this much. */
const PAYMENT_MS = 500

export class Order extends Schema.Class<Order>("Order")({
  id: Schema.String,
  customer: Schema.String,
  product: Schema.String,
  quantity: Schema.Int,
  price: Schema.Int,
  time: Schema.Int,
  note: Schema.String,
}) {}

export class Customer extends Schema.Class<Customer>("Customer")({
  id: Schema.String,
  name: Schema.String,
  tier: Schema.String,
}) {}

export class Payment extends Schema.Class<Payment>("Payment")({
  order: Schema.String,
  amount: Schema.Int,
}) {}

/** What filter and map, and both joins, put out. */
export class Bill extends Schema.Class<Bill>("Bill")({
  order: Schema.String,
  customer: Schema.String,
  tier: Schema.String,
  total: Schema.Int,
}) {}

/** The orders of a customer within a minute. */
export class Stats extends Schema.Class<Stats>("Stats")({
  count: Schema.Int,
  total: Schema.Int,
  greatest: Schema.Int,
}) {}

/** A value per n that looks drawn, without a state to keep. */
function drawn(n: number, salt: number): number {
  let x = Math.imul(n ^ salt, 0x9e3779b1)
  x ^= x >>> 15
  x = Math.imul(x, 0x85ebca6b)
  return (x ^ (x >>> 13)) >>> 0
}

export const orderTime = (n: number): number => START_MS + n * STEP_MS
export const paymentTime = (n: number): number => orderTime(n) + PAYMENT_MS
export const tierOf = (customer: number): string => ["basic", "silver", "gold"][customer % 3]!
export const customerOf = (n: number): number => drawn(n, 1) % CUSTOMERS
export const productOf = (n: number): number => drawn(n, 2) % PRODUCTS
export const quantityOf = (n: number): number => 1 + (drawn(n, 3) % 10)
export const priceOf = (n: number): number => 100 + (drawn(n, 4) % 9_900)

export const orderOf = (n: number): Order =>
  new Order({
    id: `order-${n}`,
    customer: `customer-${customerOf(n)}`,
    product: `product-${productOf(n)}`,
    quantity: quantityOf(n),
    price: priceOf(n),
    time: orderTime(n),
    note: `drawn ${drawn(n, 5)} for ${drawn(n, 6)}`,
  })

export const customerRow = (n: number): Customer =>
  new Customer({ id: `customer-${n}`, name: `Customer number ${n}`, tier: tierOf(n) })

export const paymentOf = (n: number): Payment =>
  new Payment({ order: `order-${n}`, amount: quantityOf(n) * priceOf(n) })

export type Format = "json" | "avro"

export interface Serdes {
  readonly order: Serde<Order>
  readonly customer: Serde<Customer>
  readonly payment: Serde<Payment>
  readonly bill: Serde<Bill>
  readonly stats: Serde<Stats>
}

const AVRO = {
  order: avro(Order),
  customer: avro(Customer),
  payment: avro(Payment),
  bill: avro(Bill),
  stats: avro(Stats),
}

/** As users write them: JSON without a schema, Avro of the class. */
export function serdesOf(format: Format): Serdes {
  if (format === "avro") return AVRO
  return { order: json(), customer: json(), payment: json(), bill: json(), stats: json() }
}

const SCHEMAS: ReadonlyArray<readonly [name: string, text: string]> = Object.entries(AVRO).map(
  ([name, serde]: [string, AvroSerde<any>]) => [name, serde.schema],
)

/** The schemas by name, with the id that stands before every value; what the Java peer is given. */
export const schemaTexts = (): readonly { readonly name: string; readonly id: number; readonly schema: string }[] =>
  SCHEMAS.map(([name, schema], index) => ({ name, id: index + 1, schema }))

/** Holds those schemas, and answers at once: what is measured is encoding, not a registry. */
export const fixedRegistry: Registry = {
  async register(_subject, { schema }) {
    const index = SCHEMAS.findIndex(([, text]) => text === schema)
    if (index < 0) throw new Error(`no such schema: ${schema}`)
    return index + 1
  },
  lookup: (subject, text) => fixedRegistry.register(subject, text),
  async schemaById(id): Promise<SchemaText> {
    return { schemaType: "AVRO", schema: SCHEMAS[id - 1]![1] }
  },
  schemaByVersion: () => Promise.reject(new Error("the schemas refer to none")),
}
