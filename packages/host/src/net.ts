/**
 * The network as a port: reliable, ordered byte streams between addresses, as TCP gives them.
 *
 * Three implementations: Node's sockets, an in-memory pair for one process, and the simulated network that drops,
 * delays and cuts. A connection hands its chunks to the handlers given to `attach`; a chunk belongs to the handler from
 * then on. A handler may offer memory of its own to be read into instead. Chunks given to `write` must not change until
 * `taken` says that they may.
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A socket of IPv6 that takes IPv4 too shows `::ffff:10.0.0.1`: one address must not have two names, rules go by them. */
export const plainHost = (host: string): string => host.replace(/^::ffff:(?=\d+\.)/i, "")

/** A certificate with its chain and its private key, as PEM. */
export interface TlsIdentity {
  readonly key: string
  readonly cert: string
  /** Of an encrypted key. */
  readonly passphrase?: string
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3"

export interface ServerTls extends TlsIdentity {
  /** The authorities, as PEM, that clients' certificates must come from. Default: the machine's. */
  readonly ca?: string
  /** Those that are spoken. Default: both. */
  readonly versions?: readonly TlsVersion[]
  /** Whether clients show a certificate: "requested" takes those without one too. */
  readonly clientAuth: "none" | "requested" | "required"
}

export interface ClientTls {
  /** The authorities, as PEM, that the server's certificate must come from. Default: the machine's. */
  readonly ca?: string
  /** For servers that ask for one. */
  readonly identity?: TlsIdentity
  /** The server's certificate must be for the host that was asked for. */
  readonly checksHost: boolean
}

/** Memory of the reader's that a network may read straight into: nothing is allocated or copied on the way. */
export interface ReadTarget {
  /** Where the next bytes go; never empty. It is asked for anew after each `filled`. */
  room(): Uint8Array
  /** So many bytes have come to the start of what `room` answered. */
  filled(bytes: number): void
}

export interface ConnectionHandlers {
  data(chunk: Uint8Array): void
  /** Networks that can read into it do so; what had come before, and all that others bring, goes to `data`. */
  readonly target?: ReadTarget
  /** What `write` refused to hurry has been flushed: write again. */
  drain?(): void
  /** Called exactly once, whoever closed; `error` says why when it was not an orderly end. */
  close(error?: NetError): void
}

export interface Connection {
  readonly remote: Address
  readonly local: Address
  /** The subject of the client's certificate as a distinguished name (RFC 2253), where TLS proved it. */
  readonly subject?: string | undefined
  /** Starts delivery. Must be called in the same turn in which the connection was handed out. */
  attach(handlers: ConnectionHandlers): void
  /**
   * Queues chunks as one write; false when the peer is slower than we: stop until `drain`. `taken` is called once when
   * nobody reads the chunks any more, which may be before `write` returns; it is not called when the connection ends first.
   */
  write(chunks: readonly Uint8Array[], taken?: () => void): boolean
  /** Bytes queued and not yet given to the network. */
  readonly pendingBytes: number
  /** Stops and restarts delivery of data: backpressure to the peer. */
  pause(): void
  resume(): void
  /** Flushes, then ends the stream. */
  end(): void
  /** Ends it at once; queued bytes are lost. */
  destroy(): void
}

export interface Listener {
  readonly address: Address
  /** New connections get this identity; those that are open keep theirs. Only of listeners with TLS. */
  useTls?(tls: ServerTls): void
  /** Stops accepting; open connections live on. */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly tls?: ServerTls
  /** A client that got no connection because TLS failed. */
  readonly onRefused?: (remote: Address, reason: string) => void
}

export interface ConnectOptions {
  readonly timeoutMs?: number
  readonly tls?: ClientTls
}

/** A network within one process or one simulation has nobody to hide from: it takes TLS options and does nothing. */
export interface Net {
  /** Nobody outside this process can reach who listens. */
  readonly isPrivate?: true
  /** Port 0 picks a free one. Rejects with a `NetError` that names the address, EADDRINUSE among its codes. */
  listen(address: Address, accept: (connection: Connection) => void, options?: ListenOptions): Promise<Listener>
  connect(address: Address, options?: ConnectOptions): Promise<Connection>
}

export class NetError extends Error {
  override readonly name = "NetError"
  readonly code: string
  readonly address: Address
  constructor(code: string, address: Address, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.address = address
  }
}

export const formatAddress = (address: Address): string =>
  address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`

const LOOPBACK = /^(?:127\.|::1$|localhost$|\[::1\]$)/

/** Whether only this machine reaches what listens there. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/** Reads `host:port`, `[v6]:port`; undefined when it is neither. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text.trim())
  if (!match) return undefined
  const port = Number(match[3])
  return port > 65_535 ? undefined : { host: (match[1] ?? match[2])!, port }
}
