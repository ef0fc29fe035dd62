/** Texts of which each has a schema of its own, and which those read that have fetched it. */
import { type Serde, string, UnknownSchemaId } from "@millrace/schema"

/** `known`: what has been fetched, and is by whoever asks; `fetching` may hold that up. Of "lost" no registry has a schema. */
export const schemed = (
  known: Set<string>,
  fetching: (text: string) => Promise<void> | void = () => {},
): Serde<string> => ({
  name: "schemed",
  encode: (text) => string.encode(text),
  decode(bytes) {
    const text = string.decode(bytes)
    if (known.has(text)) return text
    throw new UnknownSchemaId(text.length, async () => {
      await fetching(text)
      if (text === "lost") throw new Error("the registry has no such schema")
      known.add(text)
    })
  },
})
