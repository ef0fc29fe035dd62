/**
 * A client that may say anything: it writes bytes, and tells what came back.
 */
import type { Connection } from "@millrace/host"
import { decodeRequest, decodeResponse, FrameSplitter, FRAME_LENGTH_BYTES } from "@millrace/protocol"
import { apis } from "@millrace/protocol/messages/index"
import type { Words } from "./words.ts"

const ANSWER_BYTES_MAX = 1 << 30
const API_VERSIONS = 18
const SASL_HANDSHAKE = 17
const PRODUCE = 0

export class Probe {
  readonly #connection: Connection
  readonly #splitter = new FrameSplitter(ANSWER_BYTES_MAX)
  readonly answers: Uint8Array[] = []
  closed = false
  /** What its requests are answered with has no header: tokens of a SASL mechanism, as they are. */
  isRaw = false
  #settled: (() => void) | undefined

  constructor(connection: Connection) {
    this.#connection = connection
    connection.attach({
      data: (chunk) => {
        for (const frame of this.#splitter.push(chunk)) this.answers.push(frame)
        // A large answer comes in pieces.
        if (this.answers.length > 0) this.#settled?.()
      },
      close: () => {
        this.closed = true
        this.#settled?.()
      },
    })
  }

  get port(): number {
    return this.#connection.local.port
  }

  write(bytes: Uint8Array): void {
    this.#connection.write([bytes])
  }

  destroy(): void {
    this.#connection.destroy()
  }

  /** Resolves when a whole answer came, the connection closed, or the time is over. */
  whenSettled(msMax: number): Promise<void> {
    if (this.closed || this.answers.length > 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settled?.(), msMax)
      this.#settled = () => {
        clearTimeout(timer)
        this.#settled = undefined
        resolve()
      }
    })
  }

  /** Takes the answer to this frame and checks that a client can read it; says what is wrong with it. */
  takeAnswer(frame: Uint8Array, words: Words): string | undefined {
    const answer = this.answers.shift()!
    if (this.isRaw) return undefined
    const request = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
    const [key, version] = [request.readInt16BE(FRAME_LENGTH_BYTES), request.readInt16BE(FRAME_LENGTH_BYTES + 2)]
    const correlationId = request.readInt32BE(FRAME_LENGTH_BYTES + 4)
    const api = apis.get(key)
    if (api === undefined) return `api key ${key} is none, and was answered`
    const known = version >= api.minVersion && version <= api.maxVersion
    if (!known && key !== API_VERSIONS) return `${api.name} has no version ${version}, and was answered`
    if (key === SASL_HANDSHAKE && version === 0) this.isRaw = true
    try {
      const response = decodeResponse(api, known ? version : 0, answer)
      if (response.correlationId !== correlationId)
        return `the answer is to ${response.correlationId}, not ${correlationId}`
      words.learn(response.body)
      return undefined
    } catch (cause) {
      return `the answer does not decode: ${cause instanceof Error ? cause.message : String(cause)}`
    }
  }
}

/** Of a frame that gets no answer, or none for long: what it asks for. */
export function patienceOf(frame: Uint8Array): "silent" | "waits" | number {
  const payload = frame.subarray(FRAME_LENGTH_BYTES)
  const api = payload.length < 4 ? undefined : apis.get(Buffer.from(payload).readInt16BE(0))
  if (api === undefined) return 0
  try {
    const { body } = decodeRequest(api, payload)
    if (api.key === PRODUCE) return body.acks === 0 ? "silent" : 0
    // A member waits for the others, for as long as the slowest of them may take.
    if (api.name === "JoinGroup" || api.name === "SyncGroup") return "waits"
    return api.name === "Fetch" ? body.maxWaitMs : 0
  } catch {
    return 0
  }
}
