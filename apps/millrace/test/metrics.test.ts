/** What the servers tell a watcher over HTTP. */
import { afterAll, expect, it } from "vitest"
import { killServers, millrace, scratchDirectory, serve } from "./support/process.ts"

const scratch = scratchDirectory()
afterAll(() => {
  killServers()
  scratch.remove()
})

it("a broker serves its metrics, and says that it lives and is ready", async () => {
  const anyPort = "127.0.0.1:0"
  const broker = await serve(["broker", "--data", `${scratch.path}/data`, "--listen", anyPort, "--metrics", anyPort])
  const brokers = ["--brokers", broker.ready["kafka"]!]
  await millrace(["topic", "create", "t", ...brokers])
  await millrace(["produce", "t", ...brokers], { input: "a\nb\nc\n" })
  const base = broker.ready["metrics"]!.replace("/metrics", "")
  const get = async (path: string) => {
    const answer = await fetch(base + path)
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() }
  }
  const metrics = await get("/metrics")
  expect(metrics).toMatchObject({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" })
  expect(metrics.text).toContain('\nmillrace_broker_messages_in_total{topic="t"} 3\n')
  expect(metrics.text).toMatch(/^millrace_broker_data_device_free_bytes [1-9]\d*$/m)
  expect(metrics.text).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m)
  expect(metrics.text).toMatch(/^nodejs_event_loop_active_seconds_total \d+\.\d+$/m)
  if (process.platform === "linux") expect(metrics.text).toMatch(/^process_open_fds [1-9]\d+$/m)
  expect(await get("/health")).toMatchObject({ status: 200, text: '{"status":"UP"}' })
  expect(await get("/ready")).toMatchObject({ status: 200, text: '{"status":"READY"}' })
  expect((await broker.stop()).code).toBe(0)
})
