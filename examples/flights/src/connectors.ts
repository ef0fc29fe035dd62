/**
 * The connectors of the main job, created over Kafka Connect's REST API.
 */
export class Connectors {
  readonly #url: string
  constructor(url: string) {
    this.#url = url
  }

  async create(name: string, config: Record<string, string>): Promise<void> {
    await this.#request("POST", "/connectors", { name, config })
  }

  /** Throws with the trace of the first task that failed. */
  async check(name: string): Promise<void> {
    const status = (await this.#request("GET", `/connectors/${name}/status`)) as {
      connector: { state: string; trace?: string }
      tasks: { state: string; trace?: string }[]
    }
    const failed = [status.connector, ...status.tasks].find((part) => part.state === "FAILED")
    if (failed) throw new Error(`connector ${name} failed: ${failed.trace ?? "no trace"}`)
  }

  async #request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === "" ? undefined : JSON.parse(text)
  }
}
