import fc from "fast-check"
import { ErrorCode } from "@millrace/protocol"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { expect, test } from "vitest"
import { batch, start } from "../harness.ts"
import { fetchAll } from "../read.ts"

/** Bytes 17-20 are the checksum; what comes before it is the log's to write. */
const CRC_END = 21
const ATTRIBUTES_LOW_BYTE = 22
const BASE_TIMESTAMP = 27
const DELETE_HORIZON = 0x40

test("a damaged batch with a good checksum is refused or stored, and never hurts the partition or the broker", async () => {
  const started = await start()
  const client = await started.client()
  await client.createTopic("a")
  let stored = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.constantFrom("none", "gzip", "zstd" as const),
      fc.boolean(),
      async (edits, compression, transactional) => {
        const bytes = batch(["value", { key: "k", value: "v".repeat(50) }], {
          compression: compression as "none",
          ...(transactional ? { transactional, producerId: 7, producerEpoch: 0, baseSequence: 0 } : {}),
        })
        for (const [at, value] of edits) bytes[CRC_END + (at % (bytes.length - CRC_END))] = value
        new RecordBatchView(bytes).updateCrc()
        const transactionalId = transactional ? "t" : null
        const response = await client.produce("a", bytes, { transactionalId })
        if (response.errorCode === 0) stored++
        expect(started.defects).toEqual([])
        expect(started.messages).toEqual([])
      },
    ),
    { numRuns: 300 },
  )
  // A delete horizon that is no time, as bytes of the two rarely make it.
  const horizon = batch(["value"])
  horizon[ATTRIBUTES_LOW_BYTE] = DELETE_HORIZON
  horizon[BASE_TIMESTAMP] = 0xff
  new RecordBatchView(horizon).updateCrc()
  expect(await client.produce("a", horizon)).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
  expect(await client.produce("a", batch(["after"]))).toMatchObject({ errorCode: 0 })
  // Some edits only change a value; those records are read back as any other.
  expect(stored).toBeGreaterThan(0)
  await fetchAll(client, "a", { isolationLevel: 1 })
  expect(started.defects).toEqual([])
})
