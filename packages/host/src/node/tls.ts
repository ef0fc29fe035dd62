/**
 * TLS for the network port: sockets that are handed out once the handshake is over.
 */
import { isIP, type OnReadOpts, type Socket } from "node:net"
import * as tls from "node:tls"
import {
  type Address,
  type ClientTls,
  type Connection,
  formatAddress,
  type ListenOptions,
  NetError,
  type ServerTls,
  type TlsIdentity,
} from "../net.ts"
import { NodeConnection, remoteOf } from "./socket.ts"

const HANDSHAKE_TIMEOUT_MS = 10_000

const identityOf = ({ key, cert, passphrase }: TlsIdentity) => ({
  key,
  cert,
  ...(passphrase !== undefined && { passphrase }),
})

/** Throws a NetError for a key, certificate or authority that TLS does not take, or a key that is not the certificate's. */
export function serverContext({ ca, versions, ...identity }: ServerTls, address: Address): tls.SecureContextOptions {
  const [minVersion, maxVersion] = [versions?.toSorted().at(0), versions?.toSorted().at(-1)]
  const options = {
    ...identityOf(identity),
    ...(ca !== undefined && { ca }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
  }
  try {
    tls.createSecureContext(options)
  } catch (cause) {
    const { code = "OTHER", message } = cause as NodeJS.ErrnoException
    throw new NetError(
      code,
      address,
      `TLS on ${formatAddress(address)} does not take its key or certificate: ${message}`,
      cause,
    )
  }
  return options
}

export function tlsServer(
  address: Address,
  options: ServerTls,
  accept: (connection: Connection) => void,
  onRefused: ListenOptions["onRefused"],
): tls.Server {
  const server = tls.createServer(
    {
      ...serverContext(options, address),
      requestCert: options.clientAuth !== "none",
      rejectUnauthorized: options.clientAuth === "required",
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    (socket) => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined || socket.authorized)
        return accept(new NodeConnection(socket, { subject: certificate && distinguishedName(certificate.subject) }))
      // It need not show one; one that it shows must be good.
      onRefused?.(remoteOf(socket), `the client's certificate is not trusted: ${socket.authorizationError}`)
      socket.destroy()
    },
  )
  // A socket whose handshake failed has closed, and tells no more who was at its other end.
  const remotes = new WeakMap<Socket, Address>()
  server.on("connection", (socket) => remotes.set(socket, remoteOf(socket)))
  server.on("tlsClientError", (cause, socket) =>
    onRefused?.(remotes.get(acceptedOf(socket)) ?? remoteOf(socket), explained(cause)),
  )
  return server
}

export function tlsSocket(
  address: Address,
  { ca, identity, checksHost }: ClientTls,
  onread: OnReadOpts,
): tls.TLSSocket {
  // The types of Node's API do not know `onread` here; its documentation does.
  const reads = { onread }
  return tls.connect({
    host: address.host,
    port: address.port,
    ...reads,
    ...(isIP(address.host) === 0 && { servername: address.host }),
    ...(ca !== undefined && { ca }),
    ...(identity && identityOf(identity)),
    ...(!checksHost && { checkServerIdentity: () => undefined }),
  })
}

/** The socket that TLS runs over. Node names it nowhere but there. */
const acceptedOf = (socket: tls.TLSSocket): Socket => (socket as { _parent?: Socket })._parent ?? socket

/** What OpenSSL's codes mean to a person. */
export function explained(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return `the certificate is from no authority that is trusted here (${cause.code})`
    case "CERT_HAS_EXPIRED":
      return "the certificate has expired"
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return cause.message
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
    case "ERR_SSL_HTTP_REQUEST":
      return "the other side does not speak TLS"
    case "ECONNRESET":
      return "the other side ended the connection in the TLS handshake"
    default:
      return cause.message.includes("SSL") ? `TLS failed: ${cause.message}` : cause.message
  }
}

/** Node lists the parts from the outermost in, one a line; RFC 2253 from the innermost out. */
const distinguishedName = (subject: string): string => subject.split("\n").toReversed().join(",")
