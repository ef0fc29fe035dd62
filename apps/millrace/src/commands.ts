/**
 * All commands by name. Each loads its own module only when it is called: what a broker needs is not loaded to list
 * topics, and the other way round.
 */
import type { Command } from "./command.ts"

export interface CommandEntry {
  readonly summary: string
  /** It serves until it is stopped, and goes on when nobody reads its output any more. */
  readonly server?: boolean
  load(): Promise<{ readonly default: Command }>
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  up: {
    summary: "broker, registry and connect worker in one process",
    server: true,
    load: () => import("./commands/up.ts"),
  },
  broker: { summary: "one broker", server: true, load: () => import("./commands/broker.ts") },
  registry: {
    summary: "a schema registry on any Kafka cluster",
    server: true,
    load: () => import("./commands/registry.ts"),
  },
  connect: {
    summary: "a connect worker on any Kafka cluster",
    server: true,
    load: () => import("./commands/connect.ts"),
  },
  run: {
    summary: "run the pipelines that a module exports",
    server: true,
    load: () => import("./commands/run.ts"),
  },
  describe: { summary: "show the topology of a module's pipelines", load: () => import("./commands/describe.ts") },
  reset: { summary: "start a stopped application over", load: () => import("./commands/reset.ts") },
  "topic list": { summary: "list topics", load: () => import("./commands/topic-list.ts") },
  "topic create": { summary: "create topics", load: () => import("./commands/topic-create.ts") },
  "topic alter": {
    summary: "change settings of topics, or add partitions",
    load: () => import("./commands/topic-alter.ts"),
  },
  "topic describe": {
    summary: "show partitions, offsets and settings of topics",
    load: () => import("./commands/topic-describe.ts"),
  },
  "topic delete": { summary: "delete topics", load: () => import("./commands/topic-delete.ts") },
  produce: { summary: "write records from standard input", load: () => import("./commands/produce.ts") },
  consume: { summary: "print records", load: () => import("./commands/consume.ts") },
  "group list": { summary: "list groups", load: () => import("./commands/group-list.ts") },
  "group describe": {
    summary: "show members, offsets and lag of a group",
    load: () => import("./commands/group-describe.ts"),
  },
  "group delete": { summary: "delete empty groups", load: () => import("./commands/group-delete.ts") },
  "quota list": { summary: "list what clients may take of a broker", load: () => import("./commands/quota-list.ts") },
  "quota set": { summary: "set quotas of users, client ids, addresses", load: () => import("./commands/quota-set.ts") },
  "quota delete": { summary: "delete quotas", load: () => import("./commands/quota-delete.ts") },
  "user list": { summary: "list users that log in with SCRAM", load: () => import("./commands/user-list.ts") },
  "user set": { summary: "set a user's password for SCRAM", load: () => import("./commands/user-set.ts") },
  "user delete": { summary: "delete users' credentials", load: () => import("./commands/user-delete.ts") },
  "acl list": { summary: "list access rules", load: () => import("./commands/acl-list.ts") },
  "acl add": { summary: "allow or deny", load: () => import("./commands/acl-add.ts") },
  "acl delete": { summary: "delete access rules", load: () => import("./commands/acl-delete.ts") },
}
