import { expect, test } from "vitest"
import { principalOf, principalText } from "../src/principal.ts"

test.each([
  ["User:alice", "User", "alice"],
  ["User:CN=a:b,O=c", "User", "CN=a:b,O=c"],
  ["User:", "User", ""],
])("%s is of type %s, with the name %s", (text, principalType, principalName) => {
  expect(principalOf(text)).toEqual({ principalType, principalName })
  expect(principalText({ principalType, principalName })).toBe(text)
})

test.each(["alice", ":alice", ""])("%j is no principal", (text) => {
  expect(() => principalOf(text)).toThrow(`${JSON.stringify(text)} is no principal: it has the form User:alice`)
})
