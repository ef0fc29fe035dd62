/** What a listener speaks, by Kafka's names and numbers: encrypted (SSL), with SASL, or both. */
export const PROTOCOL_NUMBERS = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const
export type SecurityProtocol = keyof typeof PROTOCOL_NUMBERS
