import * as fc from "fast-check"
import { expect, test } from "vitest"
import { decodeAssignment, decodeMember, encodeAssignment, encodeSubscription } from "../../src/group/protocol.ts"

const partition = fc.record({ topic: fc.constantFrom("a", "b"), partition: fc.nat(100) })
const userData = fc.option(fc.uint8Array(), { nil: null })
const sorted = (list: readonly { topic: string; partition: number }[]) =>
  list.map(({ topic, partition }) => `${topic}-${partition}`).toSorted()

test("a subscription comes back", () => {
  const subscription = fc.record({
    topics: fc.array(fc.string({ minLength: 1 })),
    userData,
    ownedPartitions: fc.array(partition),
    generationId: fc.integer({ min: -1, max: 1000 }),
    rackId: fc.option(fc.string(), { nil: null }),
  })
  fc.assert(
    fc.property(subscription, (value) => {
      const member = decodeMember("m", "i", encodeSubscription(value))
      expect(member.userData === null ? null : [...member.userData]).toEqual(
        value.userData === null ? null : [...value.userData],
      )
      expect(sorted(member.ownedPartitions)).toEqual(sorted(value.ownedPartitions))
      expect(member).toMatchObject({ topics: value.topics, generationId: value.generationId, rackId: value.rackId })
    }),
  )
})

test("an assignment comes back", () => {
  fc.assert(
    fc.property(fc.array(partition), userData, (partitions, data) => {
      const decoded = decodeAssignment(encodeAssignment({ partitions, userData: data }))
      expect(sorted(decoded.partitions)).toEqual(sorted(partitions))
      expect(decoded.userData === null ? null : [...decoded.userData]).toEqual(data === null ? null : [...data])
    }),
  )
})

test("no bytes are no partitions; a future version is read as the newest known", () => {
  expect(decodeAssignment(new Uint8Array(0))).toEqual({ partitions: [], userData: null })
  const future = encodeSubscription({
    topics: ["a"],
    userData: null,
    ownedPartitions: [],
    generationId: 2,
    rackId: null,
  })
  future[1] = 9
  expect(decodeMember("m", null, Buffer.concat([future, Buffer.from([1, 2, 3])])).topics).toEqual(["a"])
})
