import { generateKeyPairSync, sign } from "node:crypto"
import { describe, expect, test } from "vitest"
import { parseKeySet } from "../../src/security/jwt.ts"
import { KeySet } from "../../src/security/key-set.ts"
import { checkToken, OAuthBearerServer, type TokenRules } from "../../src/security/oauth-bearer.ts"

const NOW = 1_800_000_000_000
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const ed = generateKeyPairSync("ed25519")

const jwks = JSON.stringify({
  keys: [
    { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa", use: "sig" },
    { ...ec.publicKey.export({ format: "jwk" }), kid: "ec" },
    { ...ed.publicKey.export({ format: "jwk" }), kid: "ed" },
    { ...other.publicKey.export({ format: "jwk" }), kid: "other", use: "enc" },
    { kty: "unheard of" },
  ],
})

const rules: TokenRules = {
  keys: async () => parseKeySet(jwks),
  userClaim: "sub",
  issuer: "https://issuer",
  audience: ["kafka", "other"],
  clockSkewMs: 30_000,
  now: () => NOW,
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const claims = { sub: "alice", iss: "https://issuer", aud: ["kafka"], exp: NOW / 1000 + 60 }

function token(given: object = {}, header: object = { alg: "RS256", kid: "rsa" }, key = rsa.privateKey): string {
  const signed = `${part(header)}.${part({ ...claims, ...given })}`
  const hash = (header as { alg: string }).alg === "EdDSA" ? null : "sha256"
  return `${signed}.${sign(hash, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`
}

const alice = { user: "alice", expiresAt: NOW + 60_000 }

test.each([
  ["RS256", token()],
  ["ES256", token({}, { alg: "ES256", kid: "ec" }, ec.privateKey)],
  ["EdDSA", token({}, { alg: "EdDSA", kid: "ed" }, ed.privateKey)],
  ["no key id", token({}, { alg: "RS256" })],
])("takes a token signed with %s", async (_, text) => {
  expect(await checkToken(text, rules)).toEqual(alice)
})

test.each([
  ["is no token", "abc", "no signed JWT"],
  ["has no signature", `${part({ alg: "none" })}.${part(claims)}.`, "no signed JWT"],
  ["claims to need none", `${part({ alg: "none" })}.${part(claims)}.AAAA`, "signature"],
  ["is signed with a shared secret", token({}, { alg: "HS256", kid: "rsa" }), "signature"],
  ["is signed by somebody else", token({}, undefined, other.privateKey), "signature"],
  [
    "is signed by a key that is not for signatures",
    token({}, { alg: "RS256", kid: "other" }, other.privateKey),
    "signature",
  ],
  ["names another kind of key", token({}, { alg: "ES256", kid: "rsa" }), "signature"],
  ["was changed", token().replace(/\.[^.]+\./, `.${part({ ...claims, sub: "root" })}.`), "signature"],
  ["has expired", token({ exp: NOW / 1000 - 31 }), "expired"],
  ["never expires", token({ exp: undefined }), "does not say when it expires"],
  ["is not good yet", token({ nbf: NOW / 1000 + 31 }), "not good yet"],
  ["is from elsewhere", token({ iss: "https://elsewhere" }), "another issuer"],
  ["is for others", token({ aud: "others" }), "another audience"],
  ["is about nobody", token({ sub: undefined }), "no claim sub"],
])("refuses one that %s", async (_, text, reason) => {
  expect(await checkToken(text, rules)).toContain(reason)
})

describe("the exchange", () => {
  const message = (text: string) => Buffer.from(`n,,\u0001auth=Bearer ${text}\u0001\u0001`)

  test("is one message when the token is good", async () => {
    const step = await new OAuthBearerServer(rules).respond(message(token()))
    expect(step.authenticated).toEqual(alice)
    expect(step.answer).toHaveLength(0)
  })

  test("says what is wrong by its status, and ends with the client's answer", async () => {
    const server = new OAuthBearerServer(rules)
    const { answer, authenticated } = await server.respond(message(token({ exp: 1 })))
    expect(JSON.parse(Buffer.from(answer).toString())).toEqual({ status: "invalid_token" })
    expect(authenticated).toBeUndefined()
    await expect(server.respond(Buffer.from("\u0001"))).rejects.toThrow("the token has expired")
  })

  test.each(["", "n,,", "n,,\u0001\u0001", "p=x,,\u0001auth=Bearer x\u0001\u0001"])("fails for %j", async (text) => {
    await expect(new OAuthBearerServer(rules).respond(Buffer.from(text))).rejects.toThrow("bad message")
  })
})

describe("the issuer's keys", () => {
  function keySet() {
    const state = { now: 0, reads: 0, fails: false }
    const set = new KeySet({
      refreshMs: 100_000,
      now: () => state.now,
      read: async () => {
        state.reads++
        if (state.fails) throw new Error("gone")
        return jwks
      },
    })
    return { state, set }
  }

  test("are read once, again when they are old, and for an unknown id once a while", async () => {
    const { state, set } = keySet()
    await Promise.all([set.keys("rsa"), set.keys("ec"), set.keys("unknown")])
    expect(state.reads).toBe(1)
    state.now = 9_999
    await set.keys("unknown")
    expect(state.reads).toBe(1)
    state.now = 10_000
    await set.keys("unknown")
    expect(state.reads).toBe(2)
    state.now = 109_999
    await set.keys("rsa")
    expect(state.reads).toBe(2)
    state.now = 110_000
    await set.keys("rsa")
    expect(state.reads).toBe(3)
  })

  test("stay when they cannot be read again", async () => {
    const { state, set } = keySet()
    state.fails = true
    await expect(set.keys("rsa")).rejects.toThrow("gone")
    state.fails = false
    await set.keys("rsa")
    state.fails = true
    state.now = 200_000
    expect(await set.keys("rsa")).not.toHaveLength(0)
  })
})
