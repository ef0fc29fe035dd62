import { expect, test } from "vitest"
import { testsOf } from "../src/compat/librdkafka-runner.ts"

test("the runner's table: names, numbers, scenarios and flags, over lines as they come", () => {
  const table = `
struct test tests[] = {
    {.name = "<MAIN>", .flags = TEST_F_LOCAL},
    _TEST(0004_conf, TEST_F_LOCAL),
    _TEST(0011_produce_batch,
          0,
          /* Produces, a lot (of messages) */
          _THRES(.ucpu = 40.0, .scpu = 8.0)),
    _TEST(0045_subscribe_update_topic_remove, 0, TEST_BRKVER(0, 9, 0, 0), .scenario = "noautocreate"),
    _TEST(0103_transactions, 0, .scenario = "default,ak23"),
    _TEST(0066_plugins,
          TEST_F_LOCAL | TEST_F_KNOWN_ISSUE_WIN32),
    _TEST(8000_idle, TEST_F_MANUAL),
    {NULL}};
    _TEST(9999_beyond, 0),
`
  const inDefault = { scenarios: ["default"], isLocal: false, isManual: false }
  expect(testsOf(table)).toEqual([
    { name: "0004_conf", number: "0004", ...inDefault, isLocal: true },
    { name: "0011_produce_batch", number: "0011", ...inDefault },
    { name: "0045_subscribe_update_topic_remove", number: "0045", ...inDefault, scenarios: ["noautocreate"] },
    { name: "0103_transactions", number: "0103", ...inDefault, scenarios: ["default", "ak23"] },
    { name: "0066_plugins", number: "0066", ...inDefault, isLocal: true },
    { name: "8000_idle", number: "8000", ...inDefault, isManual: true },
  ])
})
