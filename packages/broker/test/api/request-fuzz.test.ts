import fc from "fast-check"
import { type Api, encodeRequest } from "@millrace/protocol"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { expect, test } from "vitest"
import { allApis } from "../../src/api/all.ts"
import { advertisedRange } from "../../src/api/registry.ts"
import { start } from "../harness.ts"
import { RequestSkeleton } from "../request-skeleton.ts"

const every = [...allApis().handlers.values()].map((handler) => ({
  api: handler.api as unknown as Api,
  max: advertisedRange(handler).maxVersion,
}))

test("whatever the bytes of a request, the broker answers it or closes the connection, and lives on", async () => {
  const started = await start({ "metadata.max.partitions": "100" })
  const admin = await started.client()
  await admin.createTopic("known")
  const skeleton = new RequestSkeleton("known", await admin.topicId("known"))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...every),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      async ({ api, max }, pick, edits) => {
        const version = api.minVersion + (pick % (max - api.minVersion + 1))
        const frame = Buffer.concat(
          encodeRequest(api, version, { correlationId: 1, clientId: "test" }, skeleton.of(api, version)),
        )
        // The length stays, so that the frame ends where it says.
        for (const [at, value] of edits) frame[4 + (at % (frame.length - 4))] = value
        const client = await started.client()
        client.write([frame])
        // A second connection is served, so the first one's request has been handled as far as it will be.
        await admin.send(Metadata, 12, { topics: [] })
        client.destroy()
        expect(started.defects, `${api.name} v${version}`).toEqual([])
        // What ends one request alone is a defect too.
        const lines = started.messages.filter((line) => line.includes("internal error"))
        expect(lines, `${api.name} v${version}`).toEqual([])
      },
    ),
    { numRuns: 500 },
  )
})
