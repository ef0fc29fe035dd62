/**
 * The state is a function of the topic: replayed from the beginning, and replayed after compaction, it is the live one.
 */
import * as fc from "fast-check"
import { expect, test } from "vitest"
import type { Decision, Registry } from "../src/core/decision.ts"
import { Refusal } from "../src/core/refusal.ts"
import { RegistryState } from "../src/core/state.ts"
import { decodeRecord, encodeKey, encodeValue } from "../src/record/record.ts"
import { routes } from "../src/rest/routes.ts"
import { record, textOf } from "./api.ts"

const table = routes(() => ({ version: "", clusterId: "", groupId: "" }))
const subject = fc.constantFrom("a", "b", ":.c:a")
const schema = fc.constantFrom(record("x"), record("x", "y?"), record("z?"), record("x", "y?", "z?")).map(textOf)
const version = fc.constantFrom("1", "2", "3", "latest")

interface Request {
  readonly method: string
  readonly path: string
  readonly params: Record<string, string>
  readonly query: string
  readonly body: Record<string, unknown>
}
const request = (
  method: string,
  path: string,
  params: fc.Arbitrary<Record<string, string>>,
  query: fc.Arbitrary<string>,
  body: fc.Arbitrary<Record<string, unknown>>,
): fc.Arbitrary<Request> => fc.record({ method: fc.constant(method), path: fc.constant(path), params, query, body })
const none = fc.constant({})
const plain = fc.constant("")
const permanent = fc.constantFrom("", "permanent=true")
const bySubject = fc.record({ subject })

const requests = fc.array(
  fc.oneof(
    { arbitrary: request("POST", "/subjects/:subject/versions", bySubject, plain, fc.record({ schema })), weight: 5 },
    request(
      "POST",
      "/subjects/:subject/versions",
      bySubject,
      plain,
      fc.record({ schema, id: fc.integer({ min: 1, max: 9 }) }),
    ),
    request("DELETE", "/subjects/:subject", bySubject, permanent, none),
    request("DELETE", "/subjects/:subject/versions/:version", fc.record({ subject, version }), permanent, none),
    request("PUT", "/config/:subject", bySubject, plain, fc.record({ compatibility: fc.constantFrom("NONE", "FULL") })),
    request("DELETE", "/config/:subject", bySubject, plain, none),
    request(
      "PUT",
      "/mode/:subject",
      bySubject,
      fc.constant("force=true"),
      fc.record({ mode: fc.constantFrom("IMPORT", "READWRITE") }),
    ),
    request("DELETE", "/mode/:subject", bySubject, plain, none),
    request("PUT", "/config", none, plain, fc.record({ compatibility: fc.constantFrom("NONE", "BACKWARD") })),
  ),
  { maxLength: 30 },
)

function decide(core: Registry, { method, path, params, query, body }: Request): Decision | undefined {
  const route = table.find((route) => route.method === method && route.path === path)!
  try {
    return route.decide(core, { params, query: new URLSearchParams(query), body })
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

test("replay makes the live state, compacted or not", () => {
  fc.assert(
    fc.property(requests, (requests) => {
      const state = new RegistryState()
      const core: Registry = {
        state,
        defaults: { level: "NONE", modesMutable: true, validateDefaults: false, schemaBytesMax: 1e6 },
      }
      const log: [string, string | null][] = []
      for (const request of requests) {
        for (const record of decide(core, request)?.records ?? []) {
          const text: [string, string | null] = [encodeKey(record), encodeValue(record)]
          log.push(text)
          state.replay(decodeRecord(...text)!)
        }
      }
      const compacted = log.filter(([key], index) => !log.slice(index + 1).some(([later]) => later === key))
      for (const records of [log, compacted]) {
        const again = new RegistryState()
        for (const text of records) again.replay(decodeRecord(...text)!)
        expect(again.snapshot()).toEqual(state.snapshot())
      }
    }),
    { numRuns: 300 },
  )
})
