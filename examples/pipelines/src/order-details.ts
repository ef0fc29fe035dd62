/**
 * Two tables that change, joined by a foreign key: an order names its customer. Whichever side changes, the joined row
 * follows; an order whose customer is not known yet waits for it.
 *
 *   npm exec millrace -- run examples/pipelines/src/order-details.ts
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"

export interface Order {
  readonly customer: string
  readonly cents: number
}
export interface Customer {
  readonly name: string
  readonly country: string
}
export interface OrderDetails extends Order {
  readonly customerName: string
  readonly country: string
}

export const Orders = S.topic("orders", { key: string, value: json<Order>() })
export const Customers = S.topic("customers", { key: string, value: json<Customer>() })
export const Details = S.topic("order-details", { key: string, value: json<OrderDetails>() })

export default S.pipeline("order-details", () =>
  S.table(Orders).pipe(
    S.joinForeignKey(
      "details",
      S.table(Customers),
      (order) => order.customer,
      (order, { name, country }): OrderDetails => ({ ...order, customerName: name, country }),
    ),
    S.toStream(),
    S.to(Details),
  ),
)
