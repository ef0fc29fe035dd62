/**
 * OAUTHBEARER (RFC 7628; KIP-255, KIP-768): a token signed by a key of the issuer says who the client is, and until when.
 *
 * Why a token is refused is told in a challenge, as the RFC has it; the client's next message ends the exchange.
 */
import { isSignedBy, parseToken, type Token, type VerificationKey } from "./jwt.ts"
import { type Authenticated, AuthenticationFailed, type SaslServer, type SaslStep } from "./sasl.ts"

export interface TokenRules {
  /** The issuer's keys; asked for again, within reason, when none of them has this id. */
  keys(keyId: string | undefined): Promise<readonly VerificationKey[]>
  readonly userClaim: string
  readonly issuer: string | null
  readonly audience: readonly string[] | null
  readonly clockSkewMs: number
  now(): number
}

const SEPARATOR = "\u0001"
const HEADER = /^n,(?:a=[^,]*)?,$/
const CREDENTIALS = /^auth=Bearer (.+)$/i

/** `n,,` and then key=value pairs, one of which has the token. */
function tokenOf(message: string): string | undefined {
  const [header, ...pairs] = message.split(SEPARATOR)
  if (!HEADER.test(header!)) return undefined
  return pairs.map((pair) => CREDENTIALS.exec(pair)?.[1]).find((token) => token !== undefined)
}

export class OAuthBearerServer implements SaslServer {
  readonly #rules: TokenRules
  #refusal: string | undefined

  constructor(rules: TokenRules) {
    this.#rules = rules
  }

  async respond(message: Uint8Array): Promise<SaslStep> {
    if (this.#refusal !== undefined) throw new AuthenticationFailed(`Authentication failed: ${this.#refusal}`)
    const token = tokenOf(new TextDecoder().decode(message))
    if (token === undefined) throw new AuthenticationFailed("Authentication failed: bad message")
    const checked = await checkToken(token, this.#rules)
    if (typeof checked !== "string") return { answer: new Uint8Array(0), authenticated: checked }
    this.#refusal = checked
    return { answer: Buffer.from(JSON.stringify({ status: "invalid_token" })) }
  }
}

/** Who it is about, or what is wrong with it. */
export async function checkToken(text: string, rules: TokenRules): Promise<Authenticated | string> {
  const token = parseToken(text)
  if (token === undefined) return "the token is no signed JWT"
  let keys: readonly VerificationKey[]
  try {
    keys = await rules.keys(token.keyId)
  } catch {
    return "the issuer's keys cannot be had"
  }
  const fitting = keys.filter(({ keyId }) => token.keyId === undefined || keyId === token.keyId)
  if (!fitting.some((key) => isSignedBy(token, key))) return "the token's signature is not one of the issuer's"
  return checkClaims(token, rules)
}

function checkClaims({ claims }: Token, rules: TokenRules): Authenticated | string {
  const { exp, nbf, iss, aud } = claims
  const now = rules.now()
  if (typeof exp !== "number") return "the token does not say when it expires"
  const expiresAt = exp * 1000
  if (now >= expiresAt + rules.clockSkewMs) return "the token has expired"
  if (typeof nbf === "number" && now < nbf * 1000 - rules.clockSkewMs) return "the token is not good yet"
  if (rules.issuer !== null && iss !== rules.issuer) return "the token is from another issuer"
  const audience = Array.isArray(aud) ? aud : [aud]
  if (rules.audience !== null && !rules.audience.some((one) => audience.includes(one)))
    return "the token is for another audience"
  const user = claims[rules.userClaim]
  if (typeof user !== "string" || user === "") return `the token has no claim ${rules.userClaim}`
  return { user, expiresAt }
}
