/**
 * One of two brokers that are asked the same: sends a request, decodes the answer, and writes it down, with what may differ
 * taken out (`differences.ts`).
 */
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { type Api, FrameSplitter, decodeResponse, encodeRequest } from "@millrace/protocol"
import { DescribeTransactions } from "@millrace/protocol/messages/describe-transactions"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { authority } from "@millrace/testing/certificates"
import { comparable, Names } from "./differences.ts"
import { logIn, type Login } from "./login.ts"

const GROUP = 0
const frameBytesMax = 100 * 1024 * 1024
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: an internal topic is being made. */
const retriable = new Set([14, 15, 16])

/** One connection; requests are answered in order. */
export class Wire {
  readonly #socket: Socket
  readonly #waiting: ((frame: Uint8Array | undefined) => void)[] = []
  #isOpen = true

  constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter(frameBytesMax)
    socket.on("data", (chunk) => {
      for (const frame of splitter.push(chunk)) this.#waiting.shift()?.(frame)
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      this.#isOpen = false
      for (const answer of this.#waiting.splice(0)) answer(undefined)
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  static open(address: string): Promise<Wire> {
    const [host, port] = address.split(":")
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), host, () => resolve(new Wire(socket)))
      socket.once("error", reject)
    })
  }

  static openTls(address: string): Promise<Wire> {
    const [host, port] = address.split(":")
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host, port: Number(port), ca: authority }, () => resolve(new Wire(socket)))
      socket.once("error", reject)
    })
  }

  /** The answer; undefined when the connection is closed instead. */
  ask<Req, Res, ReqIn, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
  ): Promise<Res | undefined> {
    const header = { correlationId: 1, clientId: "oracle" }
    return this.send(Buffer.concat(encodeRequest(api as Api, version, header, request))).then(
      (frame) => frame && (decodeResponse(api as Api, version, frame).body as Res),
    )
  }

  send(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#socket.write(bytes)
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
  /** Those that nobody waits at. */
  readonly #idle: Wire[] = []
  #main: Wire | undefined
  #scene = ""
  readonly #names = new Names()

  constructor(address: string) {
    this.#address = address
  }

  /** What was seen, in the order it was asked for. */
  observed(): Record<string, unknown>[] {
    return this.#answers.map(({ what, response }) => ({
      // Which request of the scene it was, too.
      [what]: comparable(response, what.split(" ")[0]!, this.#names),
    }))
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

  /** Says what is asked next, for who reads of a difference. */
  scene(what: string): void {
    this.#scene = what
  }

  /** Writes down something that the scene made of answers. */
  note(what: string, value: unknown): void {
    this.#answers.push({ what, response: value })
  }

  /** Waits until the coordinator of a group (type 0) or a transactional id (1) takes requests. */
  async coordinator(key: string, keyType: number): Promise<void> {
    for (;;) {
      const { coordinators } = await this.askSilently(FindCoordinator, 4, { keyType, coordinatorKeys: [key] })
      if (coordinators[0]?.errorCode === 0) break
    }
    // It may be found before it has read its log.
    if (keyType === GROUP) await this.askSilently(Heartbeat, 4, { groupId: key, memberId: "nobody", generationId: 0 })
    else await this.askSilently(DescribeTransactions, 0, { transactionalIds: [key] })
  }

  /** Asks behind what was asked before, whatever the answer, and notes it. */
  async tell<Req, Res, ReqIn, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
  ): Promise<Res | undefined> {
    const wire = await this.#mainWire()
    const response = await Promise.race([wire.ask(api, version, request), silence()])
    if (response === NO_ANSWER) this.#main = undefined
    const seen = response ?? "the connection is closed"
    this.#answers.push({ what: `${api.name} v${version} ${this.#scene}`, response: seen })
    return response === NO_ANSWER ? undefined : response
  }

  /** Asks on a connection of its own, of somebody who logs in; notes why they may not, or the answer. */
  async tellAs<Req, Res, ReqIn, ResIn>(
    login: Login,
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
  ): Promise<Res | undefined> {
    const response = await this.askAs(login, api, version, request)
    this.#answers.push({ what: `${api.name} v${version} ${this.#scene}`, response })
    return typeof response === "string" ? undefined : response
  }

  /** As `tellAs`, without a note. */
  async askAs<Req, Res, ReqIn, ResIn>(
    login: Login,
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
  ): Promise<Res | string> {
    const wire = await Wire.openTls(this.#address)
    try {
      const failure = await logIn(wire, login)
      if (failure !== undefined) return failure
      return (await wire.ask(api, version, request)) ?? "the connection is closed"
    } finally {
      wire.close()
    }
  }

  /** Sends bytes as they are, on a connection of their own, and answers the frame that comes back. */
  async sendRaw(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.#open()).send(bytes)
  }

  close(): void {
    for (const wire of this.#wires) wire.close()
  }

  async #open(): Promise<Wire> {
    const wire = await Wire.open(this.#address)
    this.#wires.push(wire)
    return wire
  }

  async #mainWire(): Promise<Wire> {
    if (!this.#main?.isOpen) this.#main = await this.#open()
    return this.#main
  }

  async askSilently<Req, Res, ReqIn, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    request: ReqIn,
  ): Promise<Res> {
    const wire = this.#idle.pop() ?? (await this.#open())
    for (;;) {
      const response = await wire.ask(api, version, request)
      if (response === undefined) throw new Error(`the connection was closed on ${api.name} v${version}`)
      if (errorsOf(response).some((code) => retriable.has(code))) continue
      this.#idle.push(wire)
      return response
    }
  }
}

const NO_ANSWER = "no answer"
/** What is not answered by then is not answered at all. */
const PATIENCE_MS = 5000
const silence = () => new Promise<typeof NO_ANSWER>((resolve) => setTimeout(resolve, PATIENCE_MS, NO_ANSWER).unref())

/** Every error code in an answer, wherever it is. */
export function errorsOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorsOf)
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([name, item]) =>
    name === "errorCode" || name === "partitionErrorCode" ? [item as number] : errorsOf(item),
  )
}
