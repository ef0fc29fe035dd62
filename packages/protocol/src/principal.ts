/** Principals: as one text, `User:alice`, in access rules and metadata; as type and name in messages. The first colon parts them. */
export interface Principal {
  readonly principalType: string
  readonly principalName: string
}

/** The type of all who log in. */
export const USER_TYPE = "User"

export const principalText = ({ principalType, principalName }: Principal): string =>
  `${principalType}:${principalName}`

/** Throws an Error for a text without a type. */
export function principalOf(text: string): Principal {
  const colon = text.indexOf(":")
  if (colon < 1) throw new Error(`${JSON.stringify(text)} is no principal: it has the form User:alice`)
  return { principalType: text.slice(0, colon), principalName: text.slice(colon + 1) }
}
