/**
 * The least of a schema registry: ids for texts, texts for ids. In memory; for suites that need no more.
 */
import { HttpError, type HttpServer, serveHttp } from "@millrace/host/node/http"

export async function startRegistry(): Promise<{ readonly url: string; readonly server: HttpServer }> {
  const texts: string[] = []
  const server = await serveHttp(
    { host: "127.0.0.1", port: 0 },
    {
      failure: (error) => ({
        status: error instanceof HttpError ? error.status : 500,
        body: { error_code: 50001, message: String(error) },
      }),
      routes: [
        {
          method: "POST",
          path: "/subjects/:subject/versions",
          handle(request) {
            const { schema } = request.json() as { schema: string }
            if (!texts.includes(schema)) texts.push(schema)
            return { status: 200, body: { id: texts.indexOf(schema) + 1 } }
          },
        },
        {
          method: "GET",
          path: "/schemas/ids/:id",
          handle(request) {
            const schema = texts[Number(request.params["id"]) - 1]
            if (schema === undefined) throw new HttpError(404, "no such schema")
            return { status: 200, body: { schema } }
          },
        },
      ],
    },
  )
  return { url: `http://127.0.0.1:${server.address.port}`, server }
}
