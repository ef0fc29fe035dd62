import { expect, test } from "vitest"
import { principalMapping } from "../../src/security/principal.ts"

const NAME = "CN=Alice,OU=Tests,O=Example"

test.each([
  ["DEFAULT", NAME],
  ["RULE:^CN=(.*?),.*$/$1/", "Alice"],
  ["RULE:^CN=(.*?),.*$/$1/L", "alice"],
  ["RULE:CN=([^,]+),OU=([^,]+).*/$1@$2/U, DEFAULT", "ALICE@TESTS"],
  ["RULE:CN=Bob.*/bob/, RULE:.*O=Example/someone/", "someone"],
  ["RULE:CN=Bob.*/bob/, DEFAULT", NAME],
  ["RULE:CN=Bob.*/bob/", "ANONYMOUS"],
])("%s", (rules, user) => {
  expect(principalMapping(rules)(NAME)).toBe(user)
})

test.each(["RULE:only", "RULE:(/x/", "SOMETHING"])("%s is refused", (rules) => {
  expect(() => principalMapping(rules)).toThrow("config ssl.principal.mapping.rules")
})
