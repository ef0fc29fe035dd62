/**
 * PLAIN (RFC 4616; KIP-43): a user and a password, compared with those of the settings in constant time.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { AuthenticationFailed, type SaslServer, type SaslStep } from "./sasl.ts"

const USER_PREFIX = "user_"

/** The users of a JAAS line: `user_alice="secret"`. */
export function plainUsers(options: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const users = new Map<string, string>()
  for (const [name, value] of options)
    if (name.startsWith(USER_PREFIX)) users.set(name.slice(USER_PREFIX.length), value)
  return users
}

export class PlainServer implements SaslServer {
  readonly #users: ReadonlyMap<string, string>
  claimedUser: string | undefined

  constructor(users: ReadonlyMap<string, string>) {
    this.#users = users
  }

  respond(message: Uint8Array): SaslStep {
    const parts = new TextDecoder().decode(message).split("\0")
    const [authorizationId, user, password] = parts
    if (parts.length !== 3 || !user || !password) throw new AuthenticationFailed("Authentication failed: bad message")
    this.claimedUser = user
    const expected = this.#users.get(user)
    const isRight = equals(password, expected ?? "")
    if (expected === undefined || !isRight) {
      throw new AuthenticationFailed("Authentication failed: Invalid username or password")
    }
    if (authorizationId !== "" && authorizationId !== user) {
      throw new AuthenticationFailed(
        "Authentication failed: Client requested an authorization id that is different from username",
      )
    }
    return { answer: new Uint8Array(0), authenticated: { user } }
  }
}

/** Of digests, which are of one length: neither the time nor an error tells how much of a guess is right. */
function equals(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
