/** Who a process is to the cluster: run/identity.ts. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { nodeHost } from "@millrace/host/node"
import { expect, onTestFinished, test } from "vitest"
import { openIdentity } from "../../src/run/identity.ts"

function directory(): string {
  const made = mkdtempSync(path.join(tmpdir(), "millrace-identity-"))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

test("design rule 4: a restart in the same state directory is the same process to the cluster", () => {
  const [here, there] = [directory(), directory()]
  const first = openIdentity(nodeHost, here)
  first.release()
  const [second, other] = [openIdentity(nodeHost, here), openIdentity(nodeHost, there)]
  expect(second.processId).toBe(first.processId)
  expect(other.processId).not.toBe(first.processId)
  second.release()
  other.release()
})

test("design rule 4: nobody else is the same process while it runs", () => {
  const here = directory()
  const first = openIdentity(nodeHost, here)
  expect(() => openIdentity(nodeHost, here)).toThrow(`state directory ${here} is in use by`)
  first.release()
})

test("without a state directory every start is a new process", () => {
  const [first, second] = [openIdentity(nodeHost, undefined), openIdentity(nodeHost, undefined)]
  expect([first.isPersistent, second.isPersistent]).toEqual([false, false])
  expect(second.processId).not.toBe(first.processId)
})
