/** Late records and retention, as types: what does not compile. */
import { json, string } from "@millrace/schema"
import { expect, expectTypeOf, test } from "vitest"
import * as S from "../src/index.ts"

const Orders = S.topic("orders", { key: string, value: json<{ amount: number }>() })

test("records fit the topic for late ones", () => {
  const orders = S.stream(Orders)
  const lateTo = Orders
  const counted = orders.pipe(S.window(S.tumbling(10, { lateTo })), S.count("n", { retention: "1 day" }))
  expectTypeOf(counted).toEqualTypeOf<S.Table<S.Windowed<string>, number>>()
  orders.pipe(S.window(S.session(10, { lateTo: "by-name" })), S.count("m"))
  // @ts-expect-error the topic holds orders
  orders.pipe(S.map(String), S.window(S.sliding(10, { lateTo })), S.count("l"))
  orders.pipe(
    S.keyBy(({ amount }) => amount),
    // @ts-expect-error the topic has other keys
    S.window(S.hopping(10, { advance: 5, lateTo })),
    S.count("k"),
  )
  orders.pipe(S.joinStream("j", orders, { within: 10, lateTo }, () => 0))
  // @ts-expect-error the topic holds orders
  orders.pipe(S.joinStream("i", orders.pipe(S.map(String)), { within: 10, lateTo }, () => 0))
  const both = S.cogroup("c", { one: orders, other: orders })
  both.pipe(S.window(S.tumbling(10, { lateTo })), S.count("both"))
  const mixed = S.cogroup("d", { one: orders, other: orders.pipe(S.map(String)) })
  // @ts-expect-error the topic holds orders
  mixed.pipe(S.window(S.tumbling(10, { lateTo })), S.count("mixed"))
  // @ts-expect-error a retention is for windows
  expect(() => orders.pipe(S.count("h", { retention: 5 }))).toThrow("for windows")
})
