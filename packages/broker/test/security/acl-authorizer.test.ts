/** Rules in, answers out: semantics of KIP-11, KIP-290 and KIP-679. */
import { expect, test } from "vitest"
import { AclOperation, AclResourceType, PatternType, PermissionType } from "@millrace/protocol/acl"
import { type Acl, Acls } from "../../src/security/acl.ts"
import { AclAuthorizer } from "../../src/security/acl-authorizer.ts"
import type { Operation } from "../../src/security/authorizer.ts"

let count = 0

/** As in `ALLOW alice@* READ orders`; a name that ends in `…` is a prefix. */
function acl(text: string): Acl {
  const [permission, who, operation, name] = text.split(" ") as [string, string, string, string]
  const [user, host] = who.split("@")
  const isPrefix = name.endsWith("…")
  return {
    id: String(count++),
    resourceType: AclResourceType.TOPIC,
    resourceName: isPrefix ? name.slice(0, -1) : name,
    patternType: isPrefix ? PatternType.PREFIXED : PatternType.LITERAL,
    principal: `User:${user}`,
    host: host!,
    operation: AclOperation[operation as keyof typeof AclOperation],
    permissionType: PermissionType[permission as "ALLOW" | "DENY"],
  }
}

function authorizer(rules: readonly string[], allowsWithoutAcl = false): AclAuthorizer {
  const acls = new Acls()
  for (const rule of rules) acls.add(acl(rule))
  return new AclAuthorizer({ acls, superUsers: new Set(["User:root"]), allowsWithoutAcl })
}

const may = (one: AclAuthorizer, operation: Operation, name = "orders", user = "alice", host = "10.0.0.1") =>
  one.isAllowed(`User:${user}`, host, { operation, resource: "TOPIC" }, name)

test.each<[rules: string[], operation: Operation, name: string, allowed: boolean]>([
  [[], "READ", "orders", false],
  [["ALLOW alice@* READ orders"], "READ", "orders", true],
  [["ALLOW alice@* READ orders"], "WRITE", "orders", false],
  [["ALLOW alice@* READ orders"], "READ", "orders-2", false],
  [["ALLOW bob@* READ orders"], "READ", "orders", false],
  [["ALLOW *@* READ orders"], "READ", "orders", true],
  [["ALLOW alice@10.0.0.1 READ orders"], "READ", "orders", true],
  [["ALLOW alice@10.0.0.2 READ orders"], "READ", "orders", false],
  [["ALLOW alice@* READ *"], "READ", "orders", true],
  [["ALLOW alice@* READ ord…"], "READ", "orders", true],
  [["ALLOW alice@* READ ord…"], "READ", "more-orders", false],
  [["ALLOW alice@* ALL orders"], "ALTER_CONFIGS", "orders", true],
  // What allows more allows to see.
  [["ALLOW alice@* READ orders"], "DESCRIBE", "orders", true],
  [["ALLOW alice@* WRITE orders"], "DESCRIBE", "orders", true],
  [["ALLOW alice@* DELETE orders"], "DESCRIBE", "orders", true],
  [["ALLOW alice@* ALTER orders"], "DESCRIBE", "orders", true],
  [["ALLOW alice@* CREATE orders"], "DESCRIBE", "orders", false],
  [["ALLOW alice@* ALTER_CONFIGS orders"], "DESCRIBE_CONFIGS", "orders", true],
  // One rule that denies outweighs all that allow, and denies no more than it says.
  [["ALLOW alice@* ALL *", "DENY alice@* READ orders"], "READ", "orders", false],
  [["ALLOW alice@* ALL *", "DENY alice@* READ orders"], "DESCRIBE", "orders", true],
  [["ALLOW alice@* ALL *", "DENY alice@* READ ord…"], "READ", "orders", false],
  [["ALLOW alice@* ALL *", "DENY *@10.0.0.1 ALL *"], "READ", "orders", false],
  [["ALLOW alice@* ALL *", "DENY bob@* ALL *"], "READ", "orders", true],
])("%o: %s on %s is %s", (rules, operation, name, allowed) => {
  expect(may(authorizer(rules), operation, name)).toBe(allowed)
})

test("super users may do what is denied to all", () => {
  expect(may(authorizer(["DENY *@* ALL *"]), "DELETE", "orders", "root")).toBe(true)
})

test("where no rule is about a resource, allow.everyone.if.no.acl.found decides", () => {
  const open = authorizer(["ALLOW bob@* READ orders"], true)
  expect(may(open, "READ", "other")).toBe(true)
  expect(may(open, "READ", "orders")).toBe(false)
})

test("rules that are removed say nothing", () => {
  const acls = new Acls()
  const rules = ["ALLOW alice@* READ orders", "ALLOW alice@* READ ord…"].map(acl)
  for (const rule of rules) acls.add(rule)
  const one = new AclAuthorizer({ acls, superUsers: new Set(), allowsWithoutAcl: false })
  acls.delete(rules[0]!.id)
  expect(may(one, "READ")).toBe(true)
  acls.delete(rules[1]!.id)
  expect(may(one, "READ")).toBe(false)
})

test.each<[rules: string[], allowed: boolean]>([
  [[], false],
  [["ALLOW alice@* WRITE orders"], true],
  [["ALLOW bob@* WRITE orders"], false],
  [["ALLOW alice@* WRITE orders", "DENY alice@* WRITE orders"], false],
  [["ALLOW alice@* WRITE orders", "DENY alice@* WRITE ord…"], false],
  [["ALLOW alice@* WRITE ord…", "DENY alice@* WRITE orders"], true],
  [["ALLOW alice@* WRITE *", "DENY alice@* WRITE ord…"], true],
  [["ALLOW alice@* WRITE *", "DENY *@* ALL *"], false],
])("%o: writing to some topic is %s", (rules, allowed) => {
  expect(authorizer(rules).isAllowedSomewhere("User:alice", "10.0.0.1", "WRITE", "TOPIC")).toBe(allowed)
})
