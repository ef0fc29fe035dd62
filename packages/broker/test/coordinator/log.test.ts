import { expect, test } from "vitest"
import { coordinatorPartition } from "../../src/coordinator/log.ts"

// As Kafka's own `Utils.abs(id.hashCode()) % 50` gave them; the hash of "flights" is negative, that of
// "polygenelubricants" is Integer.MIN_VALUE.
test.each([
  ["", 0],
  ["a", 47],
  ["orders-service", 17],
  ["flights", 9],
  ["transactional-id-1", 41],
  ["polygenelubricants", 0],
  ["ünïcode-☃-😀", 12],
])("the coordinator of %j is partition %i of 50", (id, partition) => {
  expect(coordinatorPartition(id, 50)).toBe(partition)
})
