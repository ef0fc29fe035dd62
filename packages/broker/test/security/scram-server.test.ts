/** The exchange of RFC 7677, section 3, and what may go wrong in one. */
import { saltedPassword, scramCredential } from "@millrace/protocol/sasl/scram"
import { describe, expect, test } from "vitest"
import { scramLogin } from "./scram-login.ts"
import { ScramServer } from "../../src/security/scram-server.ts"

const mechanism = "SCRAM-SHA-256"
const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64")
const credential = scramCredential(mechanism, saltedPassword(mechanism, "pencil", salt, 4096), salt, 4096)

const FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
const FINAL =
  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

function server() {
  const users = new Map([["user", credential]])
  const made = new ScramServer({
    mechanism,
    nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    credential: (user) => users.get(user),
    token: () => undefined,
  })
  return (text: string) => {
    const { answer, authenticated } = made.respond(Buffer.from(text))
    return { answer: Buffer.from(answer).toString(), user: authenticated?.user }
  }
}

test("the example of RFC 7677", () => {
  const respond = server()
  expect(respond(FIRST)).toEqual({
    answer: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    user: undefined,
  })
  expect(respond(FINAL)).toEqual({ answer: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", user: "user" })
})

test("a delegation token's id, with the extension for it, brings in the token's owner", () => {
  const made = () => {
    const server = new ScramServer({
      ...{ mechanism, nonce: "server", credential: () => undefined },
      token: (id) => (id === "token" ? { credential, user: "owner", expiresAt: 77 } : undefined),
    })
    return (first: string) =>
      scramLogin({ mechanism, user: first, password: "pencil", isToken: true }, async (message) => {
        const { answer, authenticated } = server.respond(message)
        return { authBytes: answer, authenticated }
      })
  }
  return Promise.all([
    expect(made()("token")).resolves.toMatchObject({
      authenticated: { user: "owner", byToken: true, expiresAt: 77 },
    }),
    expect(made()("user")).rejects.toThrow("invalid credentials"),
  ])
})

describe("fails alike, whatever was wrong", () => {
  const failure = "invalid credentials with SASL mechanism SCRAM-SHA-256"
  test.each(["", "n,,r=x", "n,,n=nobody,r=abc", "n,,m=x,n=user,r=abc", "p=tls-unique,,n=user,r=abc"])(
    "in the first message: %j",
    (first) => {
      expect(() => server()(first)).toThrow(failure)
    },
  )
  test.each([
    ["another proof", FINAL.replace("p=dHzb", "p=dHzc")],
    ["no proof", FINAL.replace(/,p=.*/, "")],
    ["another nonce", FINAL.replace("r=rOpr", "r=aOpr")],
    ["another binding", FINAL.replace("c=biws", "c=eSws")],
    ["no message", ""],
  ])("in the last one: %s", (_, final) => {
    const respond = server()
    respond(FIRST)
    expect(() => respond(final)).toThrow(failure)
  })
})
