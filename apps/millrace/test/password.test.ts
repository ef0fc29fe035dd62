/** How a password is asked for at a terminal, and what the terminal is like meanwhile and afterwards. */
import { PassThrough, Writable } from "node:stream"
import { expect, it, vi } from "vitest"
import { readPassword } from "../src/password.ts"

const PROMPT = "password: "

/** A terminal where the prompt is met by what `type` does. */
function terminal(type: (keys: PassThrough) => void) {
  const keys = new PassThrough()
  const seen = { isRaw: false, wasRawWhenAsked: false, interruptions: 0, shown: "" }
  const input = Object.assign(keys, {
    isTTY: true,
    setRawMode: (isRaw: boolean) => {
      seen.isRaw = isRaw
      return keys
    },
  })
  const output = new Writable({
    write(chunk, _encoding, done) {
      seen.shown += chunk
      if (String(chunk) === PROMPT) {
        seen.wasRawWhenAsked = seen.isRaw
        type(keys)
      }
      done()
    },
  })
  const interrupted = () => {
    if (!seen.isRaw) seen.interruptions++
  }
  return { keys, seen, password: readPassword(PROMPT, { input, output, interrupted }) }
}

it.each([
  ["at once", ["it is secret\r"], "it is secret"],
  ["key by key, corrected", ["s", "ä", "\u007f", "e", "cret", "\n"], "secret"],
  ["and begun anew", ["wrong\u0015right\r"], "right"],
  ["with more behind it", ["first\rsecond\r"], "first"],
])("reads what is typed %s, and shows none of it", async (_, typed, expected) => {
  const { keys, seen, password } = terminal((to) => typed.forEach((text) => to.write(text)))
  expect(await password).toBe(expected)
  expect(keys.isPaused()).toBe(true)
  expect(seen).toMatchObject({ isRaw: false, wasRawWhenAsked: true, interruptions: 0, shown: `${PROMPT}\n` })
})

it.each([
  ["Ctrl-C", "secret\u0003", 1],
  ["Ctrl-D", "\u0004", 0],
])("%s ends the reading without a password; the terminal is as it was", async (_, typed, interruptions) => {
  const { seen, password } = terminal((to) => to.write(typed))
  expect(await password).toBeUndefined()
  expect(seen).toMatchObject({ isRaw: false, interruptions, shown: `${PROMPT}\n` })
})

it("a terminal that can nothing lets what is typed be corrected, too", async () => {
  vi.stubEnv("TERM", "dumb")
  try {
    const { password } = terminal((to) => to.write("secres\u007ft\r"))
    expect(await password).toBe("secret")
  } finally {
    vi.unstubAllEnvs()
  }
})

it("a terminal that fails is as it was, too", async () => {
  const { seen, password } = terminal((to) => to.destroy(new Error("read EIO")))
  await expect(password).rejects.toThrow("read EIO")
  expect(seen.isRaw).toBe(false)
})
