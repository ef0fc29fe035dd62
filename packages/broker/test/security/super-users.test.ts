import { brokerConfig } from "@millrace/broker"
import { parse } from "@millrace/config"
import { expect, test } from "vitest"
import { superUsersOf } from "../../src/security/super-users.ts"

const read = (text: string) => parse(brokerConfig, { "super.users": text })["super.users"]

test.each([
  ["", []],
  ["User:admin", ["User:admin"]],
  [" User:admin ; User:CN=ops,O=Example; ", ["User:admin", "User:CN=ops,O=Example"]],
  ["User:a:b", ["User:a:b"]],
])("%j are %j", (text, users) => {
  expect([...superUsersOf(read(text))]).toEqual(users)
})

test.each([
  ["admin", "expected a string in format principalType:principalName but got admin: User:admin"],
  ["User:", "expected a string in format principalType:principalName but got User:"],
  ["User:a;bob", "but got bob: User:bob"],
  ["User:admin,User:bob", "has its entries separated by semicolons: User:admin;User:bob"],
  ["User:admin, User:bob", "has its entries separated by semicolons: User:admin;User:bob"],
  ["user:admin", "has principals of the type User alone, not user: User:admin"],
])("%j can never be meant", (text, reason) => {
  expect(() => read(text)).toThrow(reason)
})
