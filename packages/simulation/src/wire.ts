/**
 * A tap on the wire between a process and the broker: it sees each request before it leaves and each answer before it
 * arrives, and does with them what the plan says. So a process can be killed between two steps of a commit, and a broker
 * can answer what a real one answers only at a bad moment.
 *
 * What the tap makes up itself keeps to the protocol: answers come in the order of their requests.
 */
import type { Address, Connection, ConnectionHandlers, Net } from "@millrace/host"
import { encodeResponse, FrameSplitter } from "@millrace/protocol"
import { decodeRequestHeader, type DecodedRequestHeader } from "@millrace/protocol/header"
import type { Api } from "@millrace/protocol/schema/message"
import { ProcessDied, runUntilDeath } from "./disk.ts"
import type { SimulatedProcess } from "./machine.ts"

export interface WireRequest {
  readonly api: number
  readonly header: DecodedRequestHeader
  /** Without its length. */
  readonly frame: Uint8Array
  readonly process: SimulatedProcess
}

/** An answer that the broker did not give. */
export interface Answer {
  readonly api: Api<any, any, any, any>
  readonly body: object
}

/**
 * pass      nothing happens to it
 * drop      it never leaves, and nobody says so
 * answer    it never leaves; this is its answer
 * replace   it leaves, and whatever the broker answers, this arrives
 * reset     it leaves; the connection ends before its answer arrives
 * received  it leaves; called when the answer is there, before the process has it
 */
export type Verdict =
  | "pass"
  | "drop"
  | "reset"
  | { readonly answer: Answer }
  | { readonly replace: Answer }
  | { readonly received: () => void }

/** Decides about each request; may kill the process, and then nothing leaves. */
export type WirePlan = (request: WireRequest) => Verdict

const FRAME_BYTES_MAX = 64 * 1024 * 1024

export function tapped(process: SimulatedProcess, plan: WirePlan): Net {
  const net = process.net
  return {
    listen: (address, accept) => net.listen(address, accept),
    connect: async (address, options) => new TappedConnection(await net.connect(address, options), process, plan),
  }
}

interface Pending {
  readonly header: DecodedRequestHeader
  readonly verdict: Verdict
}

class TappedConnection implements Connection {
  readonly #inner: Connection
  readonly #process: SimulatedProcess
  readonly #plan: WirePlan
  readonly #requests = new FrameSplitter(FRAME_BYTES_MAX)
  readonly #answers = new FrameSplitter(FRAME_BYTES_MAX)
  /** Without an answer, oldest first. */
  readonly #pending: Pending[] = []
  #handlers: ConnectionHandlers | undefined

  constructor(inner: Connection, process: SimulatedProcess, plan: WirePlan) {
    this.#inner = inner
    this.#process = process
    this.#plan = plan
  }

  get remote(): Address {
    return this.#inner.remote
  }

  get local(): Address {
    return this.#inner.local
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.#inner.attach({
      data: (chunk) => {
        for (const frame of this.#answers.push(chunk)) this.#answered(frame)
      },
      drain: () => handlers.drain?.(),
      close: (error) => handlers.close(error),
    })
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): boolean {
    let isFlowing = true
    const copy = Buffer.concat(chunks)
    taken?.()
    for (const frame of this.#requests.push(copy)) {
      const header = decodeRequestHeader(frame)
      const verdict = this.#plan({ api: header.apiKey, header, frame, process: this.#process })
      if (!this.#process.alive) throw new ProcessDied(`${this.#process.name} is dead`)
      this.#pending.push({ header, verdict })
      if (verdict === "drop") continue
      if (typeof verdict === "object" && "answer" in verdict) this.#later()
      else isFlowing = this.#inner.write([lengthOf(frame), frame])
    }
    return isFlowing
  }

  #answered(frame: Uint8Array): void {
    this.#makeUp()
    const { header, verdict } = this.#pending.shift()!
    if (verdict === "reset") {
      this.#inner.destroy()
      return this.#handlers!.close()
    }
    if (typeof verdict === "object" && "replace" in verdict) this.#deliver(encoded(verdict.replace, header))
    else {
      if (typeof verdict === "object" && "received" in verdict) verdict.received()
      if (!this.#process.alive) return
      this.#deliver([lengthOf(frame), frame])
    }
    this.#makeUp()
  }

  #later(): void {
    this.#process.clock.setTimer(0, () => this.#makeUp())
  }

  /** Answers what is to be answered here, once it is its turn. */
  #makeUp(): void {
    for (;;) {
      const first = this.#pending[0]
      if (first === undefined || typeof first.verdict !== "object" || !("answer" in first.verdict)) return
      this.#pending.shift()
      this.#deliver(encoded(first.verdict.answer, first.header))
    }
  }

  #deliver(chunks: readonly Uint8Array[]): void {
    runUntilDeath(() => this.#handlers!.data(new Uint8Array(Buffer.concat(chunks))))
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): void {
    this.#inner.resume()
  }

  end(): void {
    this.#inner.end()
  }

  destroy(): void {
    this.#inner.destroy()
  }
}

const encoded = ({ api, body }: Answer, { apiVersion, correlationId }: DecodedRequestHeader) =>
  encodeResponse(api, apiVersion, correlationId, { throttleTimeMs: 0, ...body })

function lengthOf(frame: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeInt32BE(frame.length)
  return length
}
