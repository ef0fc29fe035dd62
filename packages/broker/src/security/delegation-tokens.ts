/**
 * What proves a delegation token (KIP-48): its HMAC, made of its id and the cluster's secret, which is kept nowhere. Whoever
 * was given it logs in through SCRAM, with the token's id for a name and the HMAC, as base64, for a password.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import type { Clock, Random } from "@millrace/host"
import { principalOf } from "@millrace/protocol/principal"
import type { DelegationTokenRecord } from "@millrace/protocol/records/delegation-token"
import {
  saltedPassword,
  SCRAM_MECHANISMS,
  type ScramCredential,
  scramCredential,
  type ScramMechanism,
} from "@millrace/protocol/sasl/scram"
import { isExpired } from "../controller/delegation-tokens.ts"
import type { TokenCredential } from "./scram-server.ts"

export interface DelegationTokensOptions {
  /** delegation.token.secret.key */
  readonly secret: string
  readonly image: {
    delegationToken(tokenId: string): DelegationTokenRecord | undefined
    delegationTokens(): Iterable<DelegationTokenRecord>
  }
  readonly random: Random
  readonly clock: Clock
}

const SALT_BYTES = 24

export class DelegationTokens {
  readonly #options: DelegationTokensOptions
  /** Made when first needed, as they take a while; they go with the token. */
  readonly #hmacs = new WeakMap<DelegationTokenRecord, Uint8Array>()
  readonly #credentials = new WeakMap<DelegationTokenRecord, Map<ScramMechanism, ScramCredential>>()

  constructor(options: DelegationTokensOptions) {
    this.#options = options
  }

  hmac(token: DelegationTokenRecord): Uint8Array {
    const known = this.#hmacs.get(token)
    if (known) return known
    const hmac = createHmac("sha512", this.#options.secret).update(token.tokenId, "utf8").digest()
    this.#hmacs.set(token, hmac)
    return hmac
  }

  find(hmac: Uint8Array): DelegationTokenRecord | undefined {
    for (const token of this.#options.image.delegationTokens()) {
      const own = this.hmac(token)
      if (own.length === hmac.length && timingSafeEqual(own, hmac)) return token
    }
    return undefined
  }

  /** Undefined for a token that there is not, or not any more. */
  credential(tokenId: string, mechanism: ScramMechanism): TokenCredential | undefined {
    const { image, clock } = this.#options
    const token = image.delegationToken(tokenId)
    if (token === undefined || isExpired(token, clock.now())) return undefined
    const { principalName } = principalOf(token.owner)
    return { credential: this.#scram(token, mechanism), user: principalName, expiresAt: token.expirationTimestamp }
  }

  #scram(token: DelegationTokenRecord, mechanism: ScramMechanism): ScramCredential {
    const ofToken = this.#credentials.get(token) ?? new Map<ScramMechanism, ScramCredential>()
    this.#credentials.set(token, ofToken)
    const known = ofToken.get(mechanism)
    if (known) return known
    const password = Buffer.from(this.hmac(token)).toString("base64")
    const salt = this.#options.random.bytes(SALT_BYTES)
    const { iterationsMin } = SCRAM_MECHANISMS[mechanism]
    const salted = saltedPassword(mechanism, password, salt, iterationsMin)
    const credential = scramCredential(mechanism, salted, salt, iterationsMin)
    ofToken.set(mechanism, credential)
    return credential
  }
}
