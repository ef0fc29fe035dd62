/**
 * One of two brokers that are asked the same: sends a request, decodes the answer, and writes it down with what must differ
 * taken out (generated ids by order of appearance, times, wording).
 */
import { connect, type Socket } from "node:net"
import { type Api, FrameSplitter, decodeResponse, encodeRequest } from "@millrace/protocol"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"

const frameBytesMax = 100 * 1024 * 1024
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: an internal topic is being made. */
const retriable = new Set([14, 15, 16])

/** One connection; requests are answered in order. */
class Wire {
  readonly #socket: Socket
  readonly #waiting: ((frame: Uint8Array) => void)[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter(frameBytesMax)
    socket.on("data", (chunk) => {
      for (const frame of splitter.push(chunk)) this.#waiting.shift()?.(frame)
    })
  }

  static open(address: string): Promise<Wire> {
    const [host, port] = address.split(":")
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), host, () => resolve(new Wire(socket)))
      socket.once("error", reject)
    })
  }

  ask<Req, Res, ReqIn, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, version: number, request: ReqIn): Promise<Res> {
    const header = { correlationId: 1, clientId: "oracle" }
    for (const part of encodeRequest(api as Api, version, header, request)) this.#socket.write(part)
    return new Promise((resolve) => {
      this.#waiting.push((frame) => resolve(decodeResponse(api as Api, version, frame).body as Res))
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

export class Side {
  readonly #answers: { readonly what: string; response: unknown }[] = []
  readonly #address: string
  readonly #wires: Wire[] = []
  readonly #names = new Map<string, string>()

  constructor(address: string) {
    this.#address = address
  }

  /** What was seen, in the order it was asked for. */
  observed(): unknown[] {
    return this.#answers.map(({ what, response }) => ({ [what]: this.#comparable(response) }))
  }

  /** Asks on a connection of its own, so that a request may wait while others are sent, and notes the answer. */
  async ask<Req, Res, ReqIn, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
    patience: (response: Res) => boolean = () => false,
  ): Promise<Res> {
    const noted: { what: string; response: unknown } = { what: `${api.name} v${version}`, response: "no answer" }
    this.#answers.push(noted)
    for (;;) {
      const response = await this.askSilently(api, version, request)
      // An answer that only asks for patience is not compared: one broker is done sooner than the other.
      if (patience(response)) continue
      noted.response = response
      return response
    }
  }

  /** Writes down something that the scene made of answers. */
  note(what: string, value: unknown): void {
    this.#answers.push({ what, response: value })
  }

  /** Waits until the coordinator of a group (type 0) or a transactional id (1) takes requests. */
  async coordinator(key: string, keyType: number): Promise<void> {
    for (;;) {
      const { coordinators } = await this.askSilently(FindCoordinator, 4, { keyType, coordinatorKeys: [key] })
      if (coordinators[0]?.errorCode === 0) return
    }
  }

  close(): void {
    for (const wire of this.#wires) wire.close()
  }

  async askSilently<Req, Res, ReqIn, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
  ): Promise<Res> {
    const wire = await Wire.open(this.#address)
    this.#wires.push(wire)
    for (;;) {
      const response = await wire.ask(api, version, request)
      if (!errorsOf(response).some((code) => retriable.has(code))) return response
    }
  }

  #comparable(value: unknown, key = ""): unknown {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1")
    // The order of members and partitions means nothing, and Kafka's is that of its hash tables.
    if (Array.isArray(value)) return value.map((item) => this.#comparable(item)).sort(byText)
    if (typeof value === "object" && value !== null) {
      const kept = Object.entries(value).filter(([name]) => name !== "throttleTimeMs" && name !== "errorMessage")
      return Object.fromEntries(kept.map(([name, item]) => [name, this.#comparable(item, name)]))
    }
    // It lists names, in the order of a hash table too.
    if (key === "statusDetail" && typeof value === "string") return value.split(/[:,] /).sort()
    if (typeof value === "string" && generated.test(value)) return this.#name(value, value.replace(generated, ""))
    if (key === "producerId" && typeof value === "number" && value > 0) return this.#name(`id ${value}`, "producer")
    if (key === "transactionStartTimeMs") return (value as number) > 0
    return value
  }

  #name(value: string, prefix: string): string {
    const known = this.#names.get(value) ?? `${prefix} #${this.#names.size}`
    this.#names.set(value, known)
    return known
  }
}

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

const generated = /-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Every error code in an answer, wherever it is. */
export function errorsOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorsOf)
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([name, item]) =>
    name === "errorCode" || name === "partitionErrorCode" ? [item as number] : errorsOf(item),
  )
}
