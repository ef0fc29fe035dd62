/**
 * Settings of TLS, SASL and authorization. Those of TLS and SASL may stand for one listener alone, as
 * `listener.name.NAME.KEY`; users of PLAIN are given as `listener.name.NAME.plain.sasl.jaas.config`.
 */
import { wrongSuperUsers } from "../security/super-users.ts"
import { boolean, define, int, list, long, oneOf, password, string } from "@millrace/config"

/** What a listener can be told apart from the others. */
export const listenerSecurityConfig = define({
  "ssl.keystore.type": oneOf(["PEM"], { default: "PEM", doc: "The form of the broker's certificate." }),
  "ssl.keystore.location": string({
    default: null,
    importance: "HIGH",
    doc: "A PEM file with the broker's private key and its certificates. A relative path begins where the broker runs. Read again when it changes.",
  }),
  "ssl.keystore.key": password({ default: null, doc: "The broker's private key itself, as PEM." }),
  "ssl.keystore.certificate.chain": string({ default: null, doc: "The broker's certificates themselves, as PEM." }),
  "ssl.key.password": password({ default: null, doc: "Of an encrypted private key." }),
  "ssl.truststore.type": oneOf(["PEM"], { default: "PEM", doc: "The form of the trusted certificates." }),
  "ssl.truststore.location": string({
    default: null,
    doc: "A PEM file of the authorities that clients' certificates must come from. A relative path begins where the broker runs. Read again when it changes.",
  }),
  "ssl.truststore.certificates": string({ default: null, doc: "The trusted authorities themselves, as PEM." }),
  "ssl.client.auth": oneOf(["none", "requested", "required"], {
    default: "none",
    doc: "Whether clients show a certificate, which is then who they are.",
  }),
  "ssl.principal.mapping.rules": string({
    default: "DEFAULT",
    doc: "From a certificate's name to a principal: RULE:pattern/replacement/[LU], separated by commas; DEFAULT for all of it.",
  }),
  "ssl.enabled.protocols": list({
    default: ["TLSv1.2", "TLSv1.3"],
    of: ["TLSv1.2", "TLSv1.3"],
    check: (versions) => (versions.length === 0 ? "must name one" : undefined),
    doc: "The versions of TLS that are spoken.",
  }),
  "ssl.cipher.suites": list({
    default: [],
    hidden: true,
    check: (suites) =>
      suites.length > 0 ? "cannot be chosen; ssl.enabled.protocols=TLSv1.3 leaves out all that are older" : undefined,
    doc: "Cannot be chosen: those of OpenSSL are offered.",
  }),
  "sasl.enabled.mechanisms": list({
    default: [],
    of: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
    importance: "HIGH",
    doc: "How clients may authenticate.",
  }),
  "sasl.oauthbearer.jwks.endpoint.url": string({
    default: null,
    doc: "Where the keys are that tokens are signed with: https://…, or file:….",
  }),
  "sasl.oauthbearer.expected.audience": list({ default: null, doc: "One of these a token must be for." }),
  "sasl.oauthbearer.expected.issuer": string({ default: null, doc: "Who a token must come from." }),
  "sasl.oauthbearer.clock.skew.seconds": int({ default: 30, min: 0, doc: "How far clocks may differ." }),
  "sasl.oauthbearer.sub.claim.name": string({ default: "sub", doc: "The claim of a token that names the user." }),
  "sasl.oauthbearer.jwks.endpoint.refresh.ms": long({
    default: 3_600_000,
    min: 1,
    doc: "How often the keys are fetched again.",
  }),
  "connections.max.reauth.ms": long({
    default: 0,
    doc: "How long an authentication is good for; the client renews it in time or is cut off. 0: as long as the connection.",
  }),
})

export const securityConfig = define({
  ...listenerSecurityConfig,
  "listener.security.protocol.map": string({
    default: "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
    doc: "What each listener speaks, as NAME:PROTOCOL separated by commas.",
  }),
  "connection.failed.authentication.delay.ms": int({
    default: 100,
    min: 0,
    importance: "LOW",
    doc: "How long the answer to a failed authentication, or to a mechanism that is not there, is held back.",
  }),
  "authorizer.class.name": string({
    default: "",
    doc: "Any name: access rules (ACLs) decide who may do what. Empty: everybody who can connect may do everything.",
  }),
  "super.users": string({
    default: "",
    doc: "Principals that may do everything, separated by semicolons: User:admin;User:CN=ops,O=Example.",
    check: wrongSuperUsers,
  }),
  "delegation.token.secret.key": password({
    default: null,
    doc: "What the HMACs of delegation tokens are made with. Without it there are no tokens; once it is another, the HMACs of before let nobody in, and who may see a token is told its new one.",
  }),
  "delegation.token.max.lifetime.ms": long({
    default: 604_800_000,
    min: 1,
    doc: "How long a delegation token may be renewed, at most.",
  }),
  "delegation.token.expiry.time.ms": long({
    default: 86_400_000,
    min: 1,
    doc: "How long a delegation token is good for before it must be renewed, at most.",
  }),
  "delegation.token.expiry.check.interval.ms": long({
    default: 3_600_000,
    min: 1,
    importance: "LOW",
    doc: "How often delegation tokens that have expired are removed; they let nobody in from the moment they expire.",
  }),
  "allow.everyone.if.no.acl.found": boolean({
    default: false,
    doc: "Whether a resource that no rule is about is everybody's.",
  }),
})
