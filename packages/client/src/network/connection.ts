/**
 * One connection to one broker: requests go out with correlation ids, answers come back in order.
 *
 * Invariants: answers match requests by position and id, anything else ends the connection; a request that times out
 * ends the connection too, because everything behind it would be late as well and the stream could be out of step.
 * When it ends, every unanswered request rejects with a `NetError`: their outcome is unknown.
 * With SASL it authenticates before anything else, and again before the broker's patience ends (KIP-368); requests that
 * come meanwhile wait, since a broker takes nothing else in between.
 */
import {
  type Clock,
  type Connection,
  formatAddress,
  type Net,
  NetError,
  type Address,
  type Random,
  type Timer,
} from "@millrace/host"
import {
  type Api,
  correlationIdOf,
  decode,
  decodeResponse,
  encodeRequest,
  ErrorCode,
  FrameSplitter,
} from "@millrace/protocol"
import { ApiVersions, type ApiVersionsResponse } from "@millrace/protocol/messages/api-versions"
import { kafkaError, TimeoutError } from "../errors.ts"
import { authenticate, type Send } from "../security/authenticate.ts"
import type { SaslOptions } from "../security/sasl.ts"
import type { ClientSecurity } from "../security/options.ts"
import { BrokerVersions } from "./versions.ts"

export interface ConnectionOptions {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxResponseBytes: number
  readonly maxInFlightRequestsPerConnection: number
  readonly security: ClientSecurity
  /** For nonces, and to spread authentications over time. */
  readonly random: Random
  /** Told how long each answer took. */
  readonly onAnswered?: (ms: number) => void
}

export interface RequestOptions {
  /** Overrides the connection's own. */
  readonly timeoutMs?: number
  /** Highest and lowest version to use. */
  readonly cap?: number
  readonly floor?: number
}

interface Pending {
  readonly correlationId: number
  readonly what: string
  readonly timer: Timer
  answer(frame: Uint8Array): void
  fail(error: unknown): void
}

const SOFTWARE = { clientSoftwareName: "millrace", clientSoftwareVersion: "0.1.0" }
const RESPONSE_HEADER_BYTES = 4
const NONCE_BYTES = 24
/** An answer of this size gets its buffer as soon as its length is known: as large as a fetch's answer is by default. */
const ANSWER_RESERVE_BYTES = 16 * 1024 * 1024
/** When a connection authenticates again: after this part of the time it is trusted for, and up to so much later. */
const REAUTHENTICATE_AT = 0.85
const REAUTHENTICATE_SPREAD = 0.1

export class BrokerConnection {
  readonly address: Address
  readonly #clock: Clock
  readonly #options: ConnectionOptions
  readonly #connection: Connection
  readonly #pending: Pending[] = []
  readonly #waiting: (() => void)[] = []
  #correlationId = 0
  #versions: BrokerVersions | undefined
  #closed: NetError | undefined
  #authenticating: Promise<void> | undefined
  #reauthentication: Timer | undefined
  readonly #onClose: (() => void)[] = []

  /** Connects, asks for the broker's versions, authenticates. Rejects with a `NetError`, or a `KafkaError` that refuses. */
  static async open(net: Net, clock: Clock, address: Address, options: ConnectionOptions): Promise<BrokerConnection> {
    const { security, connectTimeoutMs: timeoutMs } = options
    const connection = await net.connect(address, { timeoutMs, ...(security.tls && { tls: security.tls }) })
    const self = new BrokerConnection(connection, clock, address, options)
    try {
      self.#versions = await self.#negotiate()
      if (security.sasl) await self.#authenticate(security.sasl)
    } catch (error) {
      self.close()
      throw error
    }
    return self
  }

  private constructor(connection: Connection, clock: Clock, address: Address, options: ConnectionOptions) {
    this.address = address
    this.#clock = clock
    this.#options = options
    this.#connection = connection
    const splitter = new FrameSplitter(options.maxResponseBytes, ANSWER_RESERVE_BYTES)
    connection.attach({
      data: (chunk) => this.#receive(() => splitter.push(chunk)),
      target: {
        room: () => splitter.room(),
        filled: (bytes) => this.#receive(() => splitter.filled(bytes)),
      },
      close: (error) => this.#end(error ?? this.#fault("DISCONNECTED", "the broker closed the connection")),
    })
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }
  /** Requests sent and not answered. */
  get inFlight(): number {
    return this.#pending.length
  }
  get versions(): BrokerVersions {
    return this.#versions!
  }

  onClose(callback: () => void): void {
    if (this.#closed) callback()
    else this.#onClose.push(callback)
  }

  /** Sends in the highest version that both sides know; `body` may depend on it. Resolves with the decoded answer. */
  request<Req, Res, ReqIn>(
    api: Api<Req, Res, ReqIn, never>,
    body: ReqIn | ((version: number) => ReqIn),
    options: RequestOptions = {},
  ): Promise<Res> {
    const send = () => this.#request(api, body, options)
    if (this.#authenticating === undefined && this.#pending.length < this.#options.maxInFlightRequestsPerConnection)
      return send()
    return this.#turn().then(send)
  }

  /** Resolves when one more request may go out. */
  async #turn(): Promise<void> {
    if (this.#pending.length >= this.#options.maxInFlightRequestsPerConnection)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await this.#authenticating
  }

  readonly #request: Send = (api, body, options = {}) => {
    let version: number
    try {
      version = this.versions.choose(api, options.cap, options.floor)
    } catch (error) {
      return Promise.reject(error)
    }
    const value = typeof body === "function" ? (body as (version: number) => never)(version) : body
    return this.#send(api, version, value, options.timeoutMs, (frame) => decodeResponse(api, version, frame).body)
  }

  async #authenticate(sasl: SaslOptions): Promise<void> {
    const { random } = this.#options
    const nonce = () => Buffer.from(random.bytes(NONCE_BYTES)).toString("base64url")
    const lifetimeMs = await authenticate(this.#request, sasl, nonce, formatAddress(this.address))
    if (lifetimeMs <= 0 || this.#closed) return
    const afterMs = lifetimeMs * (REAUTHENTICATE_AT + REAUTHENTICATE_SPREAD * random.float())
    const again = () => {
      this.#authenticating = this.#authenticate(sasl)
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error)
          this.#end(this.#fault("AUTHENTICATION", reason, error))
        })
        .finally(() => (this.#authenticating = undefined))
    }
    this.#reauthentication = this.#clock.setTimer(afterMs, again, { background: true })
  }

  close(): void {
    this.#end(this.#fault("CLOSED", "the connection was closed by this client"))
  }

  async #negotiate(): Promise<BrokerVersions> {
    let version = ApiVersions.maxVersion
    for (;;) {
      const asked = version
      const answer = await this.#send(ApiVersions, asked, SOFTWARE, undefined, (frame) => {
        // A broker that does not know the version refuses in version 0, whatever was asked (KIP-511).
        const refused = ((frame[RESPONSE_HEADER_BYTES]! << 8) | frame[RESPONSE_HEADER_BYTES + 1]!) === 35
        if (!refused) return decodeResponse(ApiVersions, asked, frame).body
        return decode(ApiVersions.response, 0, frame, RESPONSE_HEADER_BYTES)
      })
      if (answer.errorCode === ErrorCode.NONE) return versionsOf(answer)
      const range = answer.apiKeys.find((entry) => entry.apiKey === ApiVersions.key)
      const next = Math.min(range?.maxVersion ?? 0, asked - 1)
      if (answer.errorCode !== ErrorCode.UNSUPPORTED_VERSION || next < 0) {
        throw kafkaError(answer.errorCode, `ApiVersions at ${formatAddress(this.address)}`)
      }
      version = next
    }
  }

  #send<Res, ReqIn>(
    api: Api<unknown, Res, ReqIn, never>,
    version: number,
    body: ReqIn,
    timeoutMs: number | undefined,
    read: (frame: Uint8Array) => Res,
  ): Promise<Res> {
    return new Promise<Res>((resolve, reject) => {
      if (this.#closed) return reject(this.#closed)
      const correlationId = this.#correlationId
      this.#correlationId = (correlationId + 1) & 0x7fff_ffff
      const chunks = encodeRequest(api, version, { correlationId, clientId: this.#options.clientId }, body)
      const limit = timeoutMs ?? this.#options.requestTimeoutMs
      const askedAt = this.#clock.monotonic()
      const timer = this.#clock.setTimer(limit, () => {
        const what = `${api.name} at ${formatAddress(this.address)} was not answered within ${limit} ms`
        pending.fail(new TimeoutError(what))
        this.#end(this.#fault("TIMED_OUT", what))
      })
      const pending: Pending = {
        correlationId,
        what: api.name,
        timer,
        answer: (frame) => {
          this.#options.onAnswered?.(this.#clock.monotonic() - askedAt)
          try {
            resolve(read(frame))
          } catch (error) {
            reject(error)
          }
        },
        fail: reject,
      }
      this.#pending.push(pending)
      this.#connection.write(chunks)
    })
  }

  #receive(split: () => Uint8Array[]): void {
    if (this.#closed) return
    try {
      for (const frame of split()) this.#answer(frame)
    } catch (error) {
      this.#end(this.#fault("PROTOCOL", error instanceof Error ? error.message : String(error), error))
    }
  }

  #answer(frame: Uint8Array): void {
    const correlationId = correlationIdOf(frame)
    const pending = this.#pending[0]
    if (!pending || pending.correlationId !== correlationId) {
      return this.#end(this.#fault("PROTOCOL", `answer ${correlationId} matches no request`))
    }
    this.#pending.shift()
    pending.timer.cancel()
    pending.answer(frame)
    this.#waiting.shift()?.()
  }

  #fault(code: string, reason: string, cause?: unknown): NetError {
    return new NetError(code, this.address, `connection to ${formatAddress(this.address)}: ${reason}`, cause)
  }

  #end(error: NetError): void {
    if (this.#closed) return
    this.#closed = error
    this.#reauthentication?.cancel()
    this.#connection.destroy()
    for (const pending of this.#pending.splice(0)) {
      pending.timer.cancel()
      pending.fail(error)
    }
    for (const resume of this.#waiting.splice(0)) resume()
    for (const callback of this.#onClose.splice(0)) callback()
  }
}

function versionsOf(answer: ApiVersionsResponse): BrokerVersions {
  const ranges = new Map(answer.apiKeys.map((key) => [key.apiKey, { min: key.minVersion, max: key.maxVersion }]))
  // Without an epoch the features are not known yet: the levels listed count for nothing.
  const known = answer.finalizedFeaturesEpoch >= 0 ? answer.finalizedFeatures : []
  return new BrokerVersions(ranges, new Map(known.map((feature) => [feature.name, feature.maxVersionLevel])))
}
