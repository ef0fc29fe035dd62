/** Logs somebody in on a connection of the tests' own. */
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { scramLogin, type ScramLogin } from "../test/security/scram-login.ts"
import type { Wire } from "./side.ts"

export type Login = ScramLogin | { readonly mechanism: "PLAIN"; readonly user: string; readonly password: string }

/** Undefined once they are in; else what the broker said. */
export async function logIn(wire: Wire, login: Login): Promise<string | undefined> {
  const handshake = await wire.ask(SaslHandshake, 1, { mechanism: login.mechanism })
  if (handshake?.errorCode !== 0) return `the handshake is answered ${handshake?.errorCode}`
  const send = async (authBytes: Uint8Array) => {
    const answer = await wire.ask(SaslAuthenticate, 2, { authBytes })
    return answer ?? { errorCode: "nothing", authBytes: new Uint8Array(0) }
  }
  const { errorCode } =
    login.mechanism === "PLAIN"
      ? await send(Buffer.from(`\0${login.user}\0${login.password}`))
      : await scramLogin(login, send)
  return errorCode === 0 ? undefined : `the login is answered ${errorCode}`
}
