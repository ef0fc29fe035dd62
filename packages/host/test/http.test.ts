/**
 * The HTTP server over real sockets: routes, refusals, limits, an orderly end.
 */
import { Agent, request } from "node:http"
import { afterEach, describe, expect, it } from "vitest"
import { HttpError, type HttpOptions, type HttpServer, serveHttp } from "../src/node/http.ts"

let server: HttpServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const failure: HttpOptions["failure"] = (error) => ({
  status: error instanceof HttpError ? error.status : 500,
  body: { message: (error as Error).message },
})

async function start(routes: HttpOptions["routes"], more: Partial<HttpOptions> = {}): Promise<string> {
  server = await serveHttp({ host: "127.0.0.1", port: 0 }, { routes, failure, ...more })
  return `http://127.0.0.1:${server.address.port}`
}

const ask = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init)
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() }
}

describe("routes", () => {
  it("are found by method and path, the first that fits", async () => {
    const url = await start([
      { method: "GET", path: "/", handle: () => ({ status: 200, body: "root" }) },
      { method: "GET", path: "/a/fixed", handle: () => ({ status: 200, body: "fixed" }) },
      {
        method: "GET",
        path: "/a/:x",
        handle: ({ params, query }) => ({ status: 200, body: { ...params, q: query.getAll("q") } }),
      },
      { method: "DELETE", path: "/a/:x", handle: () => ({ status: 204 }) },
    ])
    expect((await ask(`${url}/`)).text).toBe("root")
    expect((await ask(`${url}/a/fixed`)).text).toBe("fixed")
    expect(JSON.parse((await ask(`${url}/a/x%2Fy%20z/?q=1&q=2`)).text)).toEqual({ x: "x/y z", q: ["1", "2"] })
    expect(await ask(`${url}/a/b`, { method: "DELETE" })).toEqual({ status: 204, type: null, text: "" })
    expect(await ask(`${url}/a/b`, { method: "PUT" })).toMatchObject({ status: 405 })
    expect(await ask(`${url}/b`)).toMatchObject({ status: 404 })
    expect(await ask(`${url}/a/%ff`)).toMatchObject({ status: 400 })
    expect(await ask(`${url}/a/fixed`, { method: "HEAD" })).toMatchObject({ status: 200, text: "" })
  })

  it("answer JSON under the application's content type", async () => {
    const handle = () => ({ status: 201, body: { ok: true }, headers: { Location: "/x" } })
    const url = await start([{ method: "POST", path: "/", handle }], { contentType: "application/vnd.x+json" })
    expect(await ask(url, { method: "POST" })).toEqual({
      status: 201,
      type: "application/vnd.x+json",
      text: '{"ok":true}',
    })
  })

  it("hand whatever is thrown to the application", async () => {
    const url = await start([
      {
        method: "GET",
        path: "/sync",
        handle: () => {
          throw new HttpError(418, "teapot")
        },
      },
      { method: "GET", path: "/async", handle: () => Promise.reject(new Error("broken")) },
    ])
    expect(await ask(`${url}/sync`)).toMatchObject({ status: 418, text: '{"message":"teapot"}' })
    expect(await ask(`${url}/async`)).toMatchObject({ status: 500, text: '{"message":"broken"}' })
  })
})

describe("bodies", () => {
  const echo = {
    method: "POST" as const,
    path: "/",
    handle: (r: { json(): unknown }) => ({ status: 200, body: { got: r.json() ?? null } }),
  }

  it("are JSON, or nothing", async () => {
    const url = await start([echo])
    expect((await ask(url, { method: "POST", body: '{"ä":1}' })).text).toBe('{"got":{"ä":1}}')
    expect((await ask(url, { method: "POST" })).text).toBe('{"got":null}')
    expect(await ask(url, { method: "POST", body: "{" })).toMatchObject({
      status: 400,
      text: expect.stringMatching(/not JSON/),
    })
  })

  it("have a limit", async () => {
    const url = await start([echo], { bodyBytesMax: 10 })
    expect(await ask(url, { method: "POST", body: '"12345678"' })).toMatchObject({ status: 200 })
    expect(await ask(url, { method: "POST", body: '"123456789"' })).toMatchObject({ status: 413 })
  })
})

describe("the end", () => {
  it("names a port that is in use", async () => {
    await start([])
    const taken = { host: "127.0.0.1", port: server!.address.port }
    await expect(serveHttp(taken, { routes: [], failure })).rejects.toMatchObject({
      name: "NetError",
      code: "EADDRINUSE",
      message: `cannot listen on 127.0.0.1:${taken.port}: the port is in use`,
    })
  })

  it("lets a request in progress finish and drops idle connections", async () => {
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const url = await start([
      { method: "GET", path: "/quick", handle: () => ({ status: 200 }) },
      {
        method: "GET",
        path: "/slow",
        async handle() {
          begun.resolve()
          await finish.promise
          return { status: 200, body: "done" }
        },
      },
    ])
    // Kept alive, so that close has an idle connection and a busy one to deal with.
    const agent = new Agent({ keepAlive: true })
    const get = (path: string) =>
      new Promise<string>((resolve, reject) => {
        request(url + path, { agent }, (response) => {
          let text = ""
          response.on("data", (chunk: Buffer) => (text += chunk.toString()))
          response.on("end", () => resolve(text))
        })
          .on("error", reject)
          .end()
      })
    const slow = get("/slow")
    await begun.promise
    await get("/quick")
    let closed = false
    const closing = server!.close().then(() => (closed = true))
    expect(closed).toBe(false)
    finish.resolve()
    expect(await slow).toBe("done")
    await closing
    agent.destroy()
    server = undefined
  })
})
