/**
 * End-to-end suites against running brokers, which MILLRACE_TEST_BROKERS names. `npm run test:kafka` starts a real
 * Apache Kafka for them.
 */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: [
      "packages/*/e2e/**/*.e2e.ts",
      "apps/*/e2e/**/*.e2e.ts",
      "examples/*/e2e/**/*.e2e.ts",
      "tools/e2e/**/*.e2e.ts",
    ],
    pool: "forks",
    // Suites share one small cluster: side by side they would time each other out.
    fileParallelism: false,
    // Ends what hangs, on a slow machine too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
