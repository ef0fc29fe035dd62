import { defineConfig } from "vitest/config"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  throw new Error(
    `millrace needs Node >= 22.19, this is ${process.versions.node}: run through npm (npm test, npm exec)`,
  )
}

export default defineConfig({
  test: {
    include: ["{packages,apps,examples}/*/test/**/*.test.ts", "{bench,tools}/test/**/*.test.ts"],
    pool: "forks",
    // Ends what hangs. Many suites start processes: how long one that goes on takes is up to the machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
